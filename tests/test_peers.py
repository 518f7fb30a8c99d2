"""Each defect of the peers, and what their users ask for, has a test here that is there by name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
F, S = "completion/filters/test_peers_filters.py", "completion/filters/test_peers_stopping.py"
LSP, CELLS = "lsp/test_inline_completion.py", "lsp/context/test_notebooks.py"
BUILDER = "completion/prompt/test_builder.py"
GATES, SESSION = "lsp/test_peers_gates.py", "lsp/test_context.py"
SENT, STORED = "lsp/test_what_may_be_sent.py", "lsp/context/test_index.py"
BOOK = "lsp/test_notebook_session.py"
INDEX = {
    "sentinel clipped": (BUILDER, "test_the_budget_cuts_text_and_never_a_sentinel"),
    "mixed line ends": (F, "test_tabby_crlf_a_leading_line_end_and_every_doubled_one_is_the_documents"),
    "suffix dedup on indented code": (F, "test_tabby_suffix_lines_are_found_on_indented_code_too"),
    "last notebook cell": (CELLS, "test_the_first_and_the_last_cell_have_the_others_too"),
    "last notebook cell, in a session": (GATES, "test_tabby_the_last_notebook_cell_gets_no_context"),
    "edits wait for the model": (LSP, "test_edits_are_applied_in_order_while_slow_completions_are_under_way"),
    "columns": (LSP, "test_positions_are_in_the_encoding_that_the_client_prefers"),
    "a column out of range": (GATES, "test_a_column_out_of_range_panics"),
    "superseded": (LSP, "test_a_newer_request_supersedes_the_older_down_to_the_service"),
    "cancelled": (LSP, "test_a_cancelled_request_is_answered_so_and_frees_the_service"),
    "stop strings": (S, "test_continue_slashes_and_backticks_are_no_stop_strings"),
    "context shuffled": ("lsp/context/test_pieces.py", "test_what_was_sent_stays_while_a_line_is_typed"),
    "context shuffled, in a session": (SESSION, "test_while_a_line_is_typed_the_snippets_stay_as_they_are"),
    "context in the prompt": (BUILDER, "test_snippets_keep_their_order_and_the_least_relevant_goes"),
    "sources in the index": (STORED, "test_nothing_of_the_text_is_kept_and_only_the_user_can_read_it"),
    "sources kept in clear": ("lsp/context/test_jedi.py", "test_no_source_of_the_workspace_is_kept_on_disk"),
    "overwrites": (F, "test_cody_a_subsequence_of_the_suffix_overwrites_nothing"),
    "overwrites other than closers": (F, "test_cody_never_overwrites_a_character_that_is_no_closer"),
    "user 1, on the line": (F, "test_text_after_the_cursor_is_not_repeated_on_its_line"),
    "user 1, in the next lines": (F, "test_text_after_the_cursor_is_not_repeated_in_the_next_lines"),
    "user 1": (S, "test_the_text_after_the_cursor_is_never_repeated_indented_or_not"),
    "user 4": (S, "test_indentation_tabs_stay_tabs_and_spaces_spaces"),
    "user 4, an extra space": (F, "test_an_extra_space_is_not_put_behind_one"),
    "user 5, in a session": (GATES, "test_off_in_comments_or_strings_in_every_language"),
    "user 5": ("lsp/gates/test_languages.py", "test_the_scope_gate"),
    "user 6": ("lsp/gates/test_gates.py", "test_a_scope_can_be_off_for_a_language_or_for_some_files"),
    "user 6, size too": (GATES, "test_off_by_language_glob_and_size"),
    "user 7, in a session": (GATES, "test_one_emoji_kills_the_rest_of_the_file"),
    "user 7": ("lsp/gates/test_languages.py", "test_an_emoji_before_the_cursor_moves_nothing"),
    "user 8": (S, "test_cut_off_too_early_no_line_of_a_body_is_missing"),
    "user 9": (S, "test_runs_on_too_long_the_body_ends_and_nothing_after_it_is_waited_for"),
    "user 10, nothing on backspace": (GATES, "test_nothing_on_backspace"),
    "user 13": (S, "test_a_selected_popup_item_is_where_the_completion_begins"),
    "user 16": (BOOK, "test_a_cell_inserted_moved_edited_and_deleted_is_sent_where_it_stands"),
    "user 17": (S, "test_crlf_is_kept_by_what_stops_and_by_what_is_shown"),
    "user 19": (F, "test_special_tokens_never_leak_cut_in_two"),
    "user 20": ("lsp/context/test_sources.py", "test_no_source_shows_what_the_rules_refuse"),
    "user 20, in a session": (SENT, "test_a_dotenv_in_another_tab_never_reaches_a_prompt"),
    "user 20, keys by content": (SENT, "test_a_key_in_the_current_file_is_masked_and_the_rest_is_served"),
    "user 21": (SESSION, "test_explain_sends_what_the_language_server_sends"),
    "user 25": (F, "test_junk_of_two_characters_is_not_suggested_by_itself"),
    "user 27": (GATES, "test_on_demand_only"),
}  # fmt: skip
"""By what is wrong in a peer, or by the wish's number there; more than one where a unit's test says
nothing of a session's."""


@pytest.mark.parametrize("what", INDEX)
def test_it_has_its_test(what: str) -> None:
    file, name = INDEX[what]
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, functions)}
