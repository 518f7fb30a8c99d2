"""Ranges of the byte order, against going through every token."""

from hypothesis import given
from hypothesis import strategies as st

from completion.healing.sorted_vocabulary import SortedVocabulary

short = st.binary(max_size=4) | st.lists(st.sampled_from([0x61, 0x62, 0xFF]), max_size=4).map(bytes)
tables = st.lists(short, max_size=40)


def _ids(vocabulary, span):
    return sorted(vocabulary.ids[span[0] : span[1]])


@given(tables, short)
def test_the_tokens_that_start_with_a_prefix_are_one_range(table, prefix):
    vocabulary = SortedVocabulary(table)
    expected = [i for i, text in enumerate(table) if text and text.startswith(prefix)]
    assert _ids(vocabulary, vocabulary.starting_with(prefix)) == expected


@given(tables, short)
def test_tokens_of_the_same_bytes_are_all_found(table, text):
    vocabulary = SortedVocabulary(table)
    expected = [i for i, other in enumerate(table) if other and other == text]
    assert _ids(vocabulary, vocabulary.spelling(text)) == expected


@given(tables, short)
def test_the_beginnings_of_a_text_leave_the_whole_text_out(table, text):
    vocabulary = SortedVocabulary(table)
    found = {i for _, span in vocabulary.beginning(text) for i in _ids(vocabulary, span)}
    expected = {i for i, t in enumerate(table) if t and text.startswith(t) and t != text}
    assert found == expected


@given(tables, short)
def test_edges_part_what_goes_on_by_its_next_byte(table, prefix):
    vocabulary = SortedVocabulary(table)
    found = {byte: _ids(vocabulary, span) for byte, span in vocabulary.edges(prefix)}
    expected: dict[int, list[int]] = {}
    for i, text in enumerate(table):
        if text.startswith(prefix) and len(text) > len(prefix):
            expected.setdefault(text[len(prefix)], []).append(i)
    assert found == expected


def test_ids_without_text_are_in_no_range():
    vocabulary = SortedVocabulary([b"a", b"", b"b"])
    assert len(vocabulary) == 2
    assert _ids(vocabulary, vocabulary.starting_with(b"")) == [0, 2]
    assert vocabulary.order.tolist() == [0, 2]
