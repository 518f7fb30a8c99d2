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
def test_what_goes_on_is_known_by_its_next_byte(table, prefix):
    vocabulary = SortedVocabulary(table)
    low, high = vocabulary.starting_with(prefix)
    exact, following = vocabulary.next_byte(prefix)
    assert all(text == prefix for text in vocabulary.texts[low : low + exact])
    expected = [text[len(prefix)] for text in vocabulary.texts[low + exact : high]]
    assert following.tolist() == expected


@given(tables, st.integers(0, 6))
def test_ids_without_text_are_found_padding_among_them(table, padding):
    size = len(table) + padding
    expected = [i for i in range(size) if i >= len(table) or not table[i]]
    assert SortedVocabulary(table).without_text(size).tolist() == expected


def test_ids_without_text_are_in_no_range():
    vocabulary = SortedVocabulary([b"a", b"", b"b"])
    assert len(vocabulary) == 2
    assert _ids(vocabulary, vocabulary.starting_with(b"")) == [0, 2]
    assert vocabulary.order.tolist() == [0, 2]
