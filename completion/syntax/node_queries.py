"""Which grammars there are beside the lexer's languages, and what their nodes are called.

One query a language, for :mod:`completion.syntax.node_places`. Its captures:

- ``arguments``: the bracketed arguments of a call;
- ``identifier``, ``part``: a leaf that is a name; a ``part`` never refers by itself;
- ``chain``: a chain of members, ``a.b.c``;
- ``other``: an identifier or chain that declares, or is a member's or a keyword's;
- ``branch``: what has a condition, or is a loop, with its block; ``block``: what has a block alone;
- ``import``; ``statement``: one without a block, as far as its type tells;
- ``function``, ``class``: a definition.
"""

from __future__ import annotations

from dataclasses import dataclass

_PYTHON = """
(call arguments: (_) @arguments)
(identifier) @identifier
(attribute) @chain
(attribute attribute: (identifier) @other)
(function_definition name: (identifier) @other)
(class_definition name: (identifier) @other)
(parameters (identifier) @other)
(lambda_parameters (identifier) @other)
(default_parameter name: (identifier) @other)
(typed_default_parameter name: (identifier) @other)
(typed_parameter (identifier) @other)
(list_splat_pattern (identifier) @other)
(dictionary_splat_pattern (identifier) @other)
(list_splat_pattern (attribute) @other)
(keyword_argument name: (identifier) @other)
(dotted_name (identifier) @other)
(aliased_import alias: (identifier) @other)
(global_statement (identifier) @other)
(nonlocal_statement (identifier) @other)
[(if_statement) (elif_clause) (while_statement) (for_statement)] @branch
[(with_statement) (try_statement)] @block
[(import_statement) (import_from_statement) (future_import_statement)] @import
[
  (expression_statement) (return_statement) (delete_statement) (raise_statement) (pass_statement)
  (break_statement) (continue_statement) (global_statement) (nonlocal_statement)
  (import_statement) (import_from_statement) (future_import_statement) (assert_statement)
  (type_alias_statement) (print_statement) (exec_statement)
] @statement
(function_definition) @function
(class_definition) @class
"""

_JAVASCRIPT = """
(call_expression arguments: (arguments) @arguments)
(new_expression arguments: (arguments) @arguments)
(identifier) @identifier
[(property_identifier) (shorthand_property_identifier)] @part
(member_expression) @chain
(function_declaration name: (identifier) @other)
(class_declaration name: (identifier) @other)
(formal_parameters (identifier) @other)
(assignment_pattern left: (identifier) @other)
(import_clause (identifier) @other)
(import_specifier (identifier) @other)
(namespace_import (identifier) @other)
[(if_statement) (while_statement) (for_statement) (for_in_statement)] @branch
(try_statement) @block
(import_statement) @import
[
  (expression_statement) (return_statement) (throw_statement) (break_statement)
  (continue_statement) (import_statement) (debugger_statement)
] @statement
(statement_block [(lexical_declaration) (variable_declaration)] @statement)
(program [(lexical_declaration) (variable_declaration)] @statement)
[
  (function_declaration) (generator_function_declaration) (method_definition)
  (variable_declarator value: [(arrow_function) (function_expression)])
] @function
(class_declaration) @class
"""

_GO = """
(call_expression arguments: (argument_list) @arguments)
(identifier) @identifier
[(field_identifier) (type_identifier) (package_identifier)] @part
(selector_expression) @chain
(function_declaration name: (identifier) @other)
(parameter_declaration name: (identifier) @other)
(variadic_parameter_declaration name: (identifier) @other)
[(if_statement) (for_statement)] @branch
(import_declaration) @import
(import_declaration) @statement
(statement_list [
  (short_var_declaration) (assignment_statement) (expression_statement) (return_statement)
  (inc_statement) (dec_statement) (go_statement) (defer_statement) (send_statement)
  (var_declaration) (const_declaration) (break_statement) (continue_statement)
] @statement)
(source_file [(var_declaration) (const_declaration)] @statement)
[(function_declaration) (method_declaration)] @function
(type_spec) @class
"""

_JAVA = """
(method_invocation arguments: (argument_list) @arguments)
(object_creation_expression arguments: (argument_list) @arguments)
(identifier) @identifier
(type_identifier) @part
(field_access) @chain
(field_access field: (identifier) @other)
(method_invocation name: (identifier) @other)
(method_declaration name: (identifier) @other)
(constructor_declaration name: (identifier) @other)
(class_declaration name: (identifier) @other)
(interface_declaration name: (identifier) @other)
(enum_declaration name: (identifier) @other)
(record_declaration name: (identifier) @other)
(formal_parameter name: (identifier) @other)
(scoped_identifier (identifier) @other)
[(if_statement) (while_statement) (for_statement) (enhanced_for_statement)] @branch
[(try_statement) (try_with_resources_statement)] @block
(import_declaration) @import
[
  (expression_statement) (return_statement) (throw_statement) (break_statement)
  (continue_statement) (import_declaration) (field_declaration) (assert_statement)
] @statement
(block (local_variable_declaration) @statement)
(constructor_body (local_variable_declaration) @statement)
[(method_declaration) (constructor_declaration)] @function
[
  (class_declaration) (interface_declaration) (enum_declaration) (record_declaration)
] @class
"""

_C = """
(call_expression arguments: (argument_list) @arguments)
(identifier) @identifier
[(field_identifier) (type_identifier)] @part
(field_expression) @chain
(function_declarator declarator: (identifier) @other)
(parameter_declaration declarator: (identifier) @other)
(parameter_declaration (pointer_declarator declarator: (identifier) @other))
[(if_statement) (while_statement) (for_statement)] @branch
(preproc_include) @import
[
  (expression_statement) (return_statement) (break_statement) (continue_statement)
  (goto_statement) (preproc_include) (type_definition)
] @statement
(compound_statement (declaration) @statement)
(translation_unit (declaration) @statement)
(function_definition) @function
[(struct_specifier body: (_)) (union_specifier body: (_)) (enum_specifier body: (_))] @class
"""

_RUST = """
(call_expression arguments: (arguments) @arguments)
(identifier) @identifier
[(field_identifier) (type_identifier)] @part
[(field_expression) (scoped_identifier)] @chain
(scoped_identifier name: (identifier) @other)
(function_item name: (identifier) @other)
(parameter pattern: (identifier) @other)
(attribute (identifier) @other)
[(if_expression) (while_expression) (for_expression)] @branch
(use_declaration) @import
[
  (expression_statement) (let_declaration) (use_declaration) (const_item) (static_item)
] @statement
(function_item) @function
[(struct_item) (enum_item) (union_item) (trait_item) (impl_item)] @class
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """A tree-sitter grammar and the query that finds its nodes."""

    name: str
    """Of the language."""
    module: str
    """What has the grammar, where it is installed; loaded only when something is parsed."""
    extensions: tuple[str, ...]
    """File name endings with their dot, in lower case."""
    query: str
    docstrings: bool = False
    """A description opens the body; else it is the comment above."""


GRAMMARS = (
    Grammar(
        name="python",
        module="tree_sitter_python",
        extensions=(".py", ".pyi", ".pyw"),
        query=_PYTHON,
        docstrings=True,
    ),
    Grammar(
        name="javascript",
        module="tree_sitter_javascript",
        extensions=(".js", ".jsx", ".mjs", ".cjs"),
        query=_JAVASCRIPT,
    ),
    Grammar(name="go", module="tree_sitter_go", extensions=(".go",), query=_GO),
    Grammar(name="java", module="tree_sitter_java", extensions=(".java",), query=_JAVA),
    Grammar(name="c", module="tree_sitter_c", extensions=(".c", ".h"), query=_C),
    Grammar(name="rust", module="tree_sitter_rust", extensions=(".rs",), query=_RUST),
)
PYTHON = GRAMMARS[0]
