"""Each stage against a slow and simple definition of what it computes.

The references below are written anew from the documentation, in plain Python, and share no code with the package.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from conftest import ARTICLE, COMMENT, LINK, PAGE
from degloss import context as surroundings
from degloss import decode, memory, messages
from degloss.boundary import EDGES, edge_features
from degloss.characters import LINE_BREAKS, Char, classes, normal_forms
from degloss.classify import SentenceModel, sentence_scores
from degloss.context import Context, context, names
from degloss.cues import Cues, cues, packed, voices
from degloss.decode import Chain, Spoken, calibrated, decide, evidence, shares, spoken
from degloss.documents import FAVORS, LABELS, Label
from degloss.encode import Batch, encode
from degloss.likeness import NAMES as LIKENESS
from degloss.likeness import REACHES
from degloss.memory import HEARD, KEPT, Memory, lanes, remember, running
from degloss.messages import marginals
from degloss.ngrams import CHARACTER_ORDERS, SKELETON_ORDERS, TABLE_BITS, families, grams, scale
from degloss.reading import as_read
from degloss.separate import Separator
from degloss.skeleton import skeleton
from degloss.vectors import DIMENSIONS, SOURCES, sentence_vectors
from degloss.words import Words, function_words, hash_words, hashes, lexicon_counts, lexicons, look_up
from degloss_training import corpus
from degloss_training.prepare import Prepared
from degloss_training.sentence import design, fit_sentence_model, matrix_scores
from degloss_training.settings import Settings
from training_data import document
from training_data import prepared as prepared_documents

CORPUS = Path(__file__).parents[1] / "training" / "corpus"

TEXTS = (
    PAGE,
    "",
    "„Wir prüfen das Gesetz“, sagte Ministerin Beispiel am 3. Mai.\n\nNa toll 😂😂 und wer zahlt das, Leute?",
    " \n",
    f"{COMMENT} Ich glaube denen nichts mehr\n\n\n➖➖➖\n{LINK}",
    "Ä",
    "Das scho\u0308ne 𝔚ort in Bonn 👩‍👧 hat 12 Häuser, ICH sage: NEIN!\r\n@kanal #rat",
)


def encoded(*texts: str) -> tuple[Batch, Words, Cues]:
    batch = encode(texts)
    words = look_up(batch)
    return batch, words, cues(batch, words)


# Characters and code points.


def test_line_breaks_are_those_of_splitlines() -> None:
    breaks = {chr(code) for code in range(0x3000) if len(f"a{chr(code)}b".splitlines()) == 2}
    assert set(LINE_BREAKS) == breaks
    assert {chr(code) for code in np.flatnonzero(classes() == Char.NEWLINE)} == breaks - {"\r"}


def test_white_space_is_that_of_python() -> None:
    kinds = classes()
    blank = {code for code in range(len(kinds)) if chr(code).isspace()}
    assert set(np.flatnonzero((kinds == Char.SPACE) | (kinds == Char.NEWLINE)).tolist()) == blank


def test_normal_forms_are_lower_case_and_final() -> None:
    forms = normal_forms()
    for code in map(ord, "AZÄÖÜẞÉŁЖ"):
        assert chr(forms[code]) == chr(code).lower()
    assert (forms[forms] == forms).all()
    assert {chr(forms[ord(c)]) for c in '„“”"»«‚‘'} == {'"'}
    assert {chr(forms[ord(c)]) for c in "-–—−"} == {"-"}
    assert {chr(forms[ord(c)]) for c in "\n\t \u2028\u00a0"} == {" "}
    assert len({int(forms[ord(c)]) for c in "0189"}) == 1


@pytest.mark.parametrize("prefix", ["", "😂 ", "𝔚 ", "e\u0301 ", "👩‍👧‍👦 ", "\ud800 ", "\U0010ffff "], ids=ascii)
def test_offsets_are_code_points(prefix: str) -> None:
    text = f"{prefix}Haus. Baum."
    batch = encode(["Vorher.", text, "Nachher."])
    rows, offset = batch.rows(1), batch.offsets[1]
    starts, ends = (batch.starts[rows] - offset).tolist(), (batch.ends[rows] - offset).tolist()
    assert [text[a:b] for a, b in zip(starts, ends, strict=True)] == [f"{prefix}Haus.", "Baum."]
    assert starts[1] == len(prefix) + 6
    assert batch.offsets.tolist() == [0, 8, 8 + len(text) + 1, 8 + len(text) + 1 + 9]


def polynomial(word: str) -> int:
    """The hash of a word by its definition."""
    forms = normal_forms()
    codes = [int(forms[min(ord(character), len(forms) - 1)]) for character in word]
    return sum(code * BASE**place for place, code in enumerate(codes)) & 0xFFFFFFFF


@settings(deadline=None)
@given(st.lists(st.text(st.characters()) | st.text("aB1 .\n'-ß𝔚"), max_size=3))
@example(["Corona-Test", "", "geht's 2x"])
def test_words_are_runs_of_letters_and_digits(texts: list[str]) -> None:
    batch = encode(texts)
    whole = "".join(f"{text}\n" for text in texts)
    kinds = classes()
    runs = [
        (key, len(list(run)))
        for key, run in itertools.groupby(whole, lambda c: kinds[min(ord(c), len(kinds) - 1)] <= Char.DIGIT)
    ]
    place, expected = 0, []
    for is_word, length in runs:
        if is_word:
            expected.append((place, place + length))
        place += length
    assert list(zip(batch.word_starts.tolist(), batch.word_ends.tolist(), strict=True)) == expected
    for row, (start, end) in zip(batch.word_rows.tolist(), expected, strict=True):
        assert batch.starts[row] <= start < end
        assert start < batch.ends[row]
    assert hashes(batch).tolist() == [polynomial(whole[a:b]) for a, b in expected]
    assert hash_words([whole[a:b] for a, b in expected]).tolist() == hashes(batch).tolist()


def test_hashes_depend_on_neither_case_nor_place() -> None:
    one, other = (hashes(encode([text])) for text in ("Ärger über Straßen", "x " * 5000 + "ÄRGER ÜBER straßen"))
    assert one.tolist() == other[-3:].tolist()
    assert len(set(one.tolist())) == 3


# Lexicons.

LEXICONS = sorted(
    (f for f in (resources.files("degloss") / "lexicons" / "german").iterdir() if f.name.endswith(".txt")),
    key=lambda f: f.name,
)


def entries(name: str) -> list[str]:
    file = next(f for f in LEXICONS if f.name == f"{name}.txt")
    return [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]


def test_all_lexicons_are_loaded() -> None:
    assert lexicons().names == tuple(f.name.removesuffix(".txt") for f in LEXICONS)


@pytest.mark.parametrize("name", lexicons().names)
def test_a_lexicon_is_in_order_and_every_entry_is_found(name: str) -> None:
    text = next(f for f in LEXICONS if f.name == f"{name}.txt").read_text("utf-8")
    assert text.startswith("# ")
    assert text.endswith("\n")
    words = entries(name)
    assert words
    assert [word for word in words if word != word.lower() or word != word.strip() or not word] == []
    assert [word for word, n in Counter(words).items() if n > 1] == []
    assert len(set(hash_words(words).tolist())) == len(words)
    capitals = ["".join(c if c == "ß" else c.upper() for c in word) for word in words]
    batch = encode(["\n".join(words), "\n".join(capitals)])
    assert len(batch) == 2 * len(words)
    counts = lexicon_counts(batch, look_up(batch))[lexicons().names.index(name)]
    assert [words[i % len(words)] for i in np.flatnonzero(counts != 1)] == []


@settings(deadline=None)
@given(st.text("aeinsu ", max_size=40), st.lists(st.sampled_from(entries("first_person")), max_size=5))
def test_lexicon_counts_are_those_of_looking_each_word_up(text: str, words: list[str]) -> None:
    batch = encode([text + " " + " ".join(words)])
    counts = lexicon_counts(batch, look_up(batch)).sum(1)
    for column, name in enumerate(lexicons().names):
        members = set(entries(name))
        assert counts[column] == sum(word in members for word in (text + " " + " ".join(words)).split())


# N-grams.

BASE, MIX, SEED = 0x01000193, 0x9E3779B1, 0x85EBCA6B


def table_entry(value: int, family: int) -> int:
    stirred = (value + family * SEED) * MIX % 2**32
    return stirred >> (32 - TABLE_BITS)


def naive_words(text: str) -> list[tuple[int, int]]:
    kinds = classes()
    spans, start = [], None
    for place, character in enumerate([*text, "\n"]):
        inside = kinds[min(ord(character), len(kinds) - 1)] <= Char.DIGIT
        if inside and start is None:
            start = place
        elif not inside and start is not None:
            spans.append((start, place))
            start = None
    return spans


def naive_families(text: str, start: int, end: int) -> dict[str, Counter[int]]:
    """The n-grams of the sentence from start to end, of a text with a line break at both of its ends."""
    forms, kinds = normal_forms(), classes()
    normal = [int(forms[min(ord(c), len(forms) - 1)]) for c in text]
    words = [(a, b) for a, b in naive_words(text) if start <= a < end]
    values = [int(hash_words([text[a:b]])[0]) for a, b in words]
    veil = list(normal)
    known = {value for name in lexicons().names for value in hash_words(entries(name)).tolist()}
    for (a, b), value in list(zip(words, values, strict=True))[1:]:
        capital = kinds[ord(text[a])] == Char.UPPER and kinds[ord(text[a + 1])] != Char.UPPER
        if capital and b - a > 3 and value not in known:
            veil[a : b - 2] = [ord("x")] * (b - 2 - a)
    found = {
        "word": Counter(table_entry(value, 1) for value in values),
        "words": Counter(table_entry((a * SEED + b) % 2**32, 2) for a, b in itertools.pairwise(values)),
    }
    bones = naive_skeleton(text, words)
    for order in SKELETON_ORDERS:
        runs = [bones[i : i + order] for i in range(len(bones) - order + 1)]
        numbers = (sum(b * SEED ** (order - 1 - i) for i, b in enumerate(run)) % 2**32 for run in runs)
        found[f"skeleton {order}"] = Counter(table_entry(number, 7 + order) for number in numbers)
    for order in CHARACTER_ORDERS:
        grams = [veil[i : i + order] for i in range(start - 1, end + 1 - order + 1)]
        numbers = (sum(c * BASE ** (order - 1 - i) for i, c in enumerate(gram)) % 2**32 for gram in grams)
        found[f"characters {order}"] = Counter(table_entry(number, 2 + order) for number in numbers)
    return found


PAGE_OF_LINES = "Titel ohne Punkt\n\nDer Rat stimmte  zu\nHier lesen \u2192\n\nNa toll: wieder 3\nEnde"


@pytest.mark.parametrize("line_break", ["\r\n", "\r", " \n", "\t \n", " \r\n", "\u2028", "\x0b"])
def test_lines_may_end_in_any_way(line_break: str, separator: Separator) -> None:
    plain, other = (encode([text]) for text in (PAGE_OF_LINES, PAGE_OF_LINES.replace("\n", line_break)))
    one, two = (skeleton(batch, look_up(batch)).tolist() for batch in (plain, other))
    assert one == two
    one, two = (cues(batch, look_up(batch)) for batch in (plain, other))
    assert one.gaps.tolist() == two.gaps.tolist()
    assert one.values.tolist() == two.values.tolist()


def naive_skeleton(text: str, words: list[tuple[int, int]]) -> list[int]:
    forms, kinds = normal_forms(), classes()

    def form(place: int) -> int:
        return int(forms[min(ord(text[place]), len(forms) - 1)])

    bones = []
    for number, (a, b) in enumerate(words):
        value = int(hash_words([text[a:b]])[0])
        if value not in hash_words(function_words()).tolist():
            value = form(b - 1) * 31 + form(max(b - 2, a)) * 1009 + form(max(b - 3, a)) * 77731 + 999
            if kinds[min(ord(text[a]), len(kinds) - 1)] == Char.DIGIT:
                value = 12345
            elif number and kinds[min(ord(text[a]), len(kinds) - 1)] == Char.UPPER:
                value = 777
        behind = int(kinds[min(ord(text[b]), len(kinds) - 1)])
        bones.append((value * 0x9E3779B1 + behind * 77731) % 2**32)
    return bones


def test_no_two_function_words_share_a_slot() -> None:
    words = function_words()
    batch = encode(["\n".join(words)])
    assert len(batch.word_starts) == len(words) == len(set(words))
    one_by_one = encode(["\n".join(f"{word} qqq" for word in words)])
    bones = skeleton(one_by_one, look_up(one_by_one)).reshape(-1, 2)
    assert len(set(bones[:, 0].tolist())) == len(words)  # every one of them is known as itself
    assert len(set(bones[:, 1].tolist())) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ich habe den Minister gestern gehört.", "Ich habe den Nachbarn gestern gehört.", True),
        ("Ich habe den Minister gestern gehört.", "Er hatte den Minister gestern gehört.", False),
        ("Sie prüfen den Antrag 2021.", "Sie prüfen den Antrag 1987.", True),
        ("Wir fordern den Rücktritt!", "Wir fördern den Rücktritt!", True),
        ("Wir fordern, den Rücktritt", "Wir fordern den Rücktritt", False),
    ],
)
def test_a_skeleton_keeps_the_build_and_drops_the_topic(one: str, other: str, same: bool) -> None:
    a, b = (skeleton(batch, look_up(batch)).tolist() for batch in (encode([one]), encode([other])))
    assert (a == b) == same


def test_families_are_those_of_a_slow_reference() -> None:
    batch = encode(["Vorweg.", *TEXTS])  # the very first sentence of a batch has a test of its own below
    found = list(families(batch, look_up(batch)))
    assert [f.name for f in found] == [
        "word",
        "words",
        *(f"skeleton {n}" for n in SKELETON_ORDERS),
        *(f"characters {n}" for n in CHARACTER_ORDERS),
    ]
    whole = "\n" + "".join(f"{text}\n" for text in batch.texts)
    for row in range(1, len(batch)):
        expected = naive_families(whole, int(batch.starts[row]) + 1, int(batch.ends[row]) + 1)
        for family in found:
            first, count = int(family.first[row]), int(family.count[row])
            assert Counter(family.index[first : first + count].tolist()) == expected[family.name], family.name


def test_topic_is_veiled_and_voice_is_not() -> None:
    def grams(text: str) -> set[int]:
        batch = encode(["Vorweg.", text])
        return set(
            itertools.chain(*(
                f.index[f.first[1] : f.first[1] + f.count[1]].tolist()
                for f in families(batch, look_up(batch)) if f.name.startswith("characters")
            ))
        )  # fmt: skip

    assert grams("Das sagt der Handel.") == grams("Das sagt der Mantel.")
    assert grams("Das sagt der handel.") != grams("Das sagt der mantel.")
    assert grams("Handel sagt das.") != grams("Mantel sagt das.")
    assert grams("Das ist HANDEL.") != grams("Das ist MANTEL.")


def test_the_scale_makes_every_family_a_vector_of_length_one() -> None:
    count = np.array([0, 1, 4, 1000])
    assert scale(count) ** 2 * count == pytest.approx([0, 1, 1, 1])


# The sentence model.


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """A few documents of the corpus, as training sees them."""
    documents = [corpus.read(path) for path in sorted(CORPUS.glob("c1-0[0-2]*.txt"))]
    assert len(documents) >= 15
    assert {span.label for d in documents for span in d.spans} == set(LABELS)
    return prepared_documents(documents, {"authored": 2.0})


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_three_ways_to_the_same_scores(prepared: Prepared) -> None:
    """scikit-learn's estimator, the prepared matrix and the scorer of arrays."""
    rows = np.arange(0, len(prepared.gold), 2)
    everything = np.arange(len(prepared.gold))
    settings_ = Settings(iterations=40)
    model, estimator = fit_sentence_model(prepared, rows, settings_)
    matrix = design(prepared, everything, model.mean, model.spread, settings_.cue_gain)
    decision = estimator.decision_function(matrix)
    by_estimator = decision[:, 1:] - decision[:, :1]
    by_matrix = matrix_scores(model, prepared, everything)
    by_arrays = sentence_scores(model, grams(prepared.batch, prepared.words), prepared.cues)
    assert by_arrays.shape == (len(everything), 2)
    assert np.ptp(by_arrays, axis=0).min() > 1
    assert np.abs(by_arrays - by_matrix).max() < 1e-5
    assert np.abs(by_arrays - by_estimator).max() < 1e-5
    assert (estimator.classes_ == np.arange(3)).all()


def test_gold_is_the_speaker_of_most_characters() -> None:
    parts: list[tuple[str, Label]]
    parts = [("Das Amt prüft", "article"), (" das.\n", "commentary"), ("+++\n", "boilerplate")]
    page, post = document("x", *parts, kind="seed"), document("y", *parts, kind="post")
    found = prepared_documents([page, post], {"seed": 3.0}, {"seed": 2.0, "post": 4.0}, {("post", "boilerplate"): 0.5})
    assert found.gold.tolist() == [0, 2, 0, 2]
    assert found.sentence_weight.tolist() == [3, 3, 1, 1]
    assert found.chain_weight.tolist() == [2, 2, 4, 2]
    assert found.row_bucket.tolist() == [page.bucket] * 2 + [post.bucket] * 2


def test_what_was_written_for_the_corpus_counts_less_wherever_it_stands() -> None:
    parts: list[tuple[str, Label]] = [
        ("Der Rat tagt.\n", "article"),
        ("Unfug!\n", "commentary"),
        ("+++", "boilerplate"),
    ]
    copied: list[tuple[str, Label]] = [*parts[:2], ("Es regnet.", "article")]
    found = prepared_documents(
        [
            document("geschrieben", *parts, group="a"),
            document("zusammengesetzt", *copied, group="a", kind="post"),
            document("kurz", *parts, group="b", kind="short"),
            document("echt", *parts, group="c", kind="seed"),
        ],
        voices=0.25,
    )
    assert found.sentence_weight.tolist() == [0.25, 0.25, 1, 0.25, 0.25, 1, *[1] * 6]
    assert found.composed_only.tolist() == [False] * 5 + [True] * 4 + [False] * 3


# Cues.

QUOTATIONS = [
    # name, lines (a sentence each), which of them begin inside a quotation, which of those never see it closed
    ("closed", ["„Eins.", "Zwei.“", "Drei."], [1], []),
    ("closed at once", ["Er sagt: „Eins.“", "Zwei."], [], []),
    ("never closed", ["„Eins.", "Zwei.", "Drei."], [1, 2], [1, 2]),
    ("opened again before it was closed", ["„Eins.", "Zwei.", "„Drei.“", "Vier."], [1, 2], [1, 2]),
    ("closing mark alone", ["Eins.“", "Zwei."], [], []),
    ("English marks", ["“Eins.", "Zwei.”", "Drei."], [1], []),
    ("low and right", ["„Eins.", "Zwei.”", "Drei."], [1], []),
    ("angles outwards", ["»Eins.", "Zwei.«", "Drei."], [1], []),
    ("angles inwards", ["«Eins.", "Zwei.»", "Drei."], [1], []),
    ("straight", ['"Eins.', 'Zwei."', "Drei."], [1], []),
    ("straight, never closed", ['"Eins.', "Zwei.", "Drei."], [1, 2], [1, 2]),
    ("straight in the middle", ['Er sagt: "Eins.', 'Zwei" und', "Drei."], [1], []),
    ("low mark without a space before it", ["Er sagt:„Eins.", "Zwei.“", "Drei."], [1], []),
    ("in brackets", ['("Eins.', 'Zwei")', "Drei."], [1], []),
    ("two one after the other", ["„Eins.“", "„Zwei.", "Drei.“", "Vier."], [2], []),
    ("apostrophe", ["Wie geht's", "Zwei."], [], []),
    ("inches", ['Ein 24" Rad', "Zwei."], [], []),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "inside", "unclosed"), [q[1:] for q in QUOTATIONS], ids=[q[0] for q in QUOTATIONS])
def test_the_quotation_state(lines: list[str], inside: list[int], unclosed: list[int]) -> None:
    # A document before with an open quotation must not matter.
    batch, _, found = encoded("„Offen", "\n".join(lines), "Danach")
    rows = batch.rows(1)
    assert rows.stop - rows.start == len(lines)
    assert np.flatnonzero(found.column("quotation open before")[rows]).tolist() == inside
    assert np.flatnonzero(found.column("quotation never closed")[rows]).tolist() == unclosed
    ago = found.column("quotation opened long ago")[rows]
    assert np.flatnonzero(ago).tolist() == inside
    assert found.column("quotation open before")[-1] == 0


def test_quotations_that_open_close_and_fill_a_sentence() -> None:
    _, _, found = encoded("„Eins.“\n„Zwei.\nDrei.\nVier.“\nFünf „sechs“ sieben.")
    assert found.column("quotation opens sentence").tolist() == [1, 1, 0, 0, 0]
    assert found.column("quotation closes sentence").tolist() == [1, 0, 0, 1, 0]
    assert found.column("quotation whole").tolist() == [1, 1, 1, 1, 0]


GAPS = [
    ("Eins. Zwei.", [2, 0]),
    ("Eins.\nZwei.", [2, 1]),
    ("Eins.\r\nZwei.", [2, 1]),
    ("Eins.\n\nZwei.", [2, 2]),
    ("Eins.\r\n\r\nZwei.", [2, 2]),
    ("Eins.\n \t\nZwei.", [2, 2]),
    ("Eins.\n\n\n\nZwei. Drei.", [2, 4, 0]),
    ("\n\n\nEins.\nZwei.\n\n", [2, 1]),
    ("Eins.\u2028Zwei.", [2, 1]),
]


@pytest.mark.parametrize(("text", "expected"), GAPS, ids=[ascii(text) for text, _ in GAPS])
def test_gaps_count_line_breaks(text: str, expected: list[int]) -> None:
    batch, _, found = encoded("Vorher.\n\n", text, "Danach.")
    assert found.gaps[batch.rows(1)].tolist() == expected
    assert found.gaps[-1] == 2
    assert encoded(text)[2].gaps.tolist() == expected


TOKENS = [
    # sentence, links, link and little else, single token, handle and little else
    ("https://t.me/beispiel/12", 1, True, True, False),
    ("👉 https://t.me/beispiel", 1, True, False, False),
    ("http://a.de https://b.de", 2, True, False, False),
    ("Der Rat der Stadt verweist heute in seinem Brief auf https://b.de", 1, False, False, False),
    ("und/oder", 0, False, True, False),
    ("@beispielkanal", 0, False, True, True),
    ("Der Rat tagt.", 0, False, False, False),
]


@pytest.mark.parametrize(("text", "links", "little", "single", "handle"), TOKENS, ids=[t[0] for t in TOKENS])
def test_links_and_handles(text: str, links: int, little: bool, single: bool, handle: bool) -> None:
    _, _, found = encoded(text)
    assert found.values.shape[0] == 1
    assert found.column("links") == [links]
    assert found.column("link and little else") == [little]
    assert found.column("single token") == [single]
    assert found.column("handle and little else") == [handle]


SLIPS = [
    ("Was soll das ?", "slip space before mark", 1),
    ("Was soll das?", "slip space before mark", 0),
    ("Ja,nein", "slip no space after mark", 1),
    ("Ja, nein", "slip no space after mark", 0),
    ("Nie!!!", "repeated marks", 2),
    ("Nie!", "repeated marks", 0),
    ("Na....", "repeated stops", 3),
    ("+++++++", "repeated rule", 4),
    ("———", "repeated rule", 2),
    ("1.234,50", "count comma", 1),
    ("😂😂😂", "count emoji", 3),
    ("NEIN sage ich", "share capitals", 1 / 3),
    ("Der Rat in Bonn", "share nouns", 0.5),
    ("+++", "no words", 1),
    ("Rat", "no words", 0),
]


@pytest.mark.parametrize(("text", "name", "value"), SLIPS, ids=[f"{t} {n}" for t, n, _ in SLIPS])
def test_looks(text: str, name: str, value: float) -> None:
    _, _, found = encoded("Vorher.", text)
    assert found.column(name)[1] == pytest.approx(value)


def test_cues_are_named_once_and_finite() -> None:
    _, _, found = encoded(*TEXTS)
    assert len(set(found.names)) == len(found.names) == found.values.shape[1]
    assert np.isfinite(found.values).all()
    assert 0 < found.voice < len(found.names)
    with pytest.raises(ValueError, match="not in"):
        found.column("gibt es nicht")


def test_how_a_sentence_speaks_does_not_depend_on_where_it_stands() -> None:
    alone = encoded(ARTICLE)[2]
    batch, _, among = encoded(f"{COMMENT}\n\n{ARTICLE}\n{LINK}")
    voice = slice(None, alone.voice)
    assert among.values[1, voice].tolist() == alone.values[0, voice].tolist()
    assert among.values[1].tolist() != alone.values[0].tolist()
    assert len(batch) == 3


def test_packed_cues_come_back_as_they_were() -> None:
    batch, words, _ = encoded(*TEXTS)
    found = voices(batch, words)
    again = packed(found).unpacked()
    assert again.values.tobytes() == found.values.tobytes()
    assert again.gaps.tolist() == found.gaps.tolist()
    assert again.names == found.names


# Context.


def naive_likeness(vectors: NDArray[Any], rows: range, row: int, paragraph: range) -> dict[str, float]:
    """The cosines of what stands on either side of a row, by the names of the features."""
    start, stop = rows.start, rows.stop
    others = [r for r in rows if r not in paragraph]
    pairs = {
        "before and behind 2": (range(max(row - 2, start), row), range(row, min(row + 2, stop))),
        "before and behind 5": (range(max(row - 5, start), row), range(row, min(row + 5, stop))),
        "before and behind all": (range(start, row), range(row, stop)),
        "in and beside the paragraph": (paragraph, others),
    }
    long = 1 / (1 + (14 / len(rows)) ** 3)
    found = {}
    for pair, (left, right) in pairs.items():
        for place, source in enumerate(SOURCES):
            columns = slice(place * DIMENSIONS, (place + 1) * DIMENSIONS)
            one, other = (vectors[list(side)][:, columns].astype(float).sum(0) for side in (left, right))
            size = np.linalg.norm(one) * np.linalg.norm(other)
            cosine = float(one @ other / size) if size else 0.0
            found[f"likeness of {source}s {pair} in long texts"] = cosine * long
            found[f"likeness of {source}s {pair} in short texts"] = cosine * (1 - long)
    return found


def chances_of(scores: NDArray[Any]) -> NDArray[Any]:
    """(n, 2) the chances of commentary and of boilerplate, by scores against article."""
    weights = np.exp(np.clip(scores, -8, 8))
    return np.asarray(weights / (1 + weights.sum(1, keepdims=True)))


def surrounded(*texts: str) -> tuple[Batch, Cues, NDArray[Any], NDArray[Any], Context]:
    """Documents with their cues, random scores and vectors, and the context these make."""
    batch, _, found = encoded(*texts)
    scores = np.random.default_rng(0).normal(0, 6, (len(batch), 2))
    vectors = np.random.default_rng(1).integers(-90, 90, (len(batch), len(SOURCES) * DIMENSIONS)).astype(np.int16)
    return batch, found, scores, vectors, context(batch, found, scores, vectors)


LINES = "Eins. Zwei.\nDrei. Vier.\n\nFünf! Sechs?\nSieben. " * 4


def test_context_is_that_of_a_slow_reference() -> None:
    batch, found, scores, vectors, around = surrounded(*TEXTS, LINES)
    assert np.diff(batch.documents).max() > 2 * max(REACHES)
    assert np.abs(scores).max() > 8
    columns = dict(zip(names(found), around.features.T, strict=True))

    own = ["score commentary", "score boilerplate", "chance commentary", "chance boilerplate"]
    values = dict(zip(own, [*np.clip(scores, -8, 8).T, *chances_of(scores).T], strict=True))
    signals = [name.removeprefix("document: ") for name in columns if name.startswith("document: ")]
    assert len(signals) > 30
    wanted = {"line": own, "paragraph": own, "document": signals}
    edges = dict(zip(EDGES, edge_features(around).T, strict=True))
    seen = set()

    for number in range(len(batch.texts)):
        rows = range(*batch.rows(number).indices(len(batch)))
        for row in rows:
            for block, least in (("line", 1), ("paragraph", 2), ("document", 10**9)):
                first, last = row, row + 1
                while first > rows.start and found.gaps[first] < least:
                    first -= 1
                while last < rows.stop and found.gaps[last] < least:
                    last += 1
                for signal in wanted[block]:
                    expected = (values[signal] if signal in values else found.column(signal))[first:last].mean()
                    assert columns[f"{block}: {signal}"][row] == pytest.approx(expected, abs=1e-4), (block, signal)
                    seen.add(f"{block}: {signal}")
                if block == "paragraph":
                    paragraph = range(first, last)
            for name, expected in naive_likeness(vectors, rows, row, paragraph).items():
                assert columns[name][row] == pytest.approx(expected, abs=1e-5), name
                assert edges[name][row] == pytest.approx(expected, abs=1e-5), name
                seen.add(name)
    for name in (*own, *found.names):
        plain = name if name in columns else f"own {name}"
        expected = values[name] if name in values else found.column(name)
        assert columns[plain] == pytest.approx(expected, abs=1e-6)
        seen.add(plain)
    assert seen == set(columns)
    assert {name for name in EDGES if name in columns and name.startswith("likeness")} == set(LIKENESS)
    assert np.ptp([edges[name] for name in LIKENESS]) > 0.5


def test_the_context_gets_the_vectors_of_the_model(separator: Separator) -> None:
    batch, words, _ = encoded(*as_read(TEXTS)[0])
    (vectors,) = separator.stages(TEXTS).around.vectors
    assert np.array_equal(vectors, sentence_vectors(separator.model.embedding, grams(batch, words)))
    assert np.ptp(vectors, axis=0).all()


def test_edges_say_what_lies_between_two_sentences() -> None:
    batch, _, found = encoded("Eins: Zwei. Drei:\nVier.\n\nFünf.\n\n\n+++\nSechs")
    around = context(batch, found, np.zeros((len(batch), 2)), np.zeros((len(batch), 32), np.int16))
    columns = dict(zip(EDGES, edge_features(around).T, strict=True))
    assert len(batch) == 6
    assert columns["same line"].tolist() == [0, 1, 0, 0, 0, 0]
    assert columns["new line"].tolist() == [0, 0, 1, 0, 0, 1]
    assert columns["blank line"].tolist() == [1, 0, 0, 1, 0, 0]
    assert columns["wide gap"].tolist() == [0, 0, 0, 0, 1, 0]
    assert columns["after colon"].tolist() == [0, 0, 1, 0, 0, 0]
    assert columns["after no words"].tolist() == [0, 0, 0, 0, 0, 1]


OF_THE_SENTENCE = (
    "starts emoji", "starts bullet", "starts lower", "starts at", "quotation open before", "quotation never closed",
    "quotation opens sentence",
)  # fmt: skip
OF_THE_ONE_BEFORE = {
    "after colon": "ends colon", "after no words": "no words", "after link": "lexicon addresses",
    "after quotation": "quotation closes sentence", "after emoji": "ends emoji",
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_edges_are_those_of_a_slow_reference(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where features are made for few sentences at a time. Of a first sentence all comes from the chain."""
    monkeypatch.setattr(surroundings, "BLOCK", size)
    signs = "Ja:\nnein 😂\n▪ Siehe @kanal\nhttps://a.de https://b.de\n@a „Nun“\n+++\n\n\n„Er sagt\n😂 „Ja“\nund Schluss"
    batch, found, scores, _, around = surrounded(*TEXTS, signs, signs)
    columns = dict(zip(EDGES, edge_features(around).T, strict=True))
    chances = chances_of(scores)
    places = ("same line", "new line", "blank line", "wide gap")
    checked = {"long text", *LIKENESS}  # which have tests of their own
    inside = [row for row in range(len(batch)) if row not in batch.documents]
    assert len(inside) > 20
    for row in inside:
        expected = {name: float(found.gaps[row] == breaks) for breaks, name in enumerate(places[:3])}
        expected["wide gap"] = float(found.gaps[row] > 2)
        expected |= {name: float(found.column(name)[row]) for name in OF_THE_SENTENCE}
        expected |= {name: min(float(found.column(cue)[row - 1]), 1) for name, cue in OF_THE_ONE_BEFORE.items()}
        for column, label in enumerate(LABELS[1:]):
            expected[f"change {label}"] = abs(chances[row, column] - chances[row - 1, column])
        assert {name: columns[name][row] for name in expected} == pytest.approx(expected, abs=1e-6)
        checked |= set(expected)
    assert checked == set(EDGES)
    assert [name for name in EDGES if name != "long text" and not np.ptp(columns[name][inside])] == []
    assert max(found.column("lexicon addresses")) > 1


@pytest.mark.parametrize("sizes", [[1], [14], [3, 200], [2000, 14, 1]], ids=str)
def test_edges_say_how_long_the_document_is(sizes: list[int]) -> None:
    batch, _, found = encoded(*("Satz.\n" * size for size in sizes))
    around = context(batch, found, np.zeros((len(batch), 2)), np.zeros((len(batch), 32), np.int16))
    long = edge_features(around)[:, EDGES.index("long text")]
    assert long == pytest.approx(np.repeat([1 / (1 + (14 / size) ** 3) for size in sizes], sizes), rel=1e-5)


# Memory.


def random_memory(seed: int, size: float = 0.15, members: int = 2) -> Memory:
    """A memory of the right shapes with random weights."""
    rng = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "first": (members, 3, HEARD, 4 * KEPT), "second": (members, 3, 2 * KEPT, 4 * KEPT),
    }  # fmt: skip
    shapes |= {f"{name}_bias": (members, 4 * KEPT) for name in shapes}
    return Memory(**{name: rng.normal(0, size, shape).astype(np.float32) for name, shape in shapes.items()})


def naive_layer(weights: NDArray[Any], bias: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """The running means of one layer over a document (n, inputs), number after number."""
    n = len(rows)
    means = np.zeros((n, 2, KEPT))
    for direction, order in enumerate((range(n), range(n - 1, -1, -1))):
        value, gate = (slice((2 * direction + k) * KEPT, (2 * direction + k + 1) * KEPT) for k in (0, 1))
        held = np.zeros(KEPT)
        for i in order:
            sums = bias.astype(float)
            for place, j in enumerate((i - 1, i, i + 1)):
                if 0 <= j < n:
                    sums += rows[j] @ weights[place].astype(float)
            for k, (z, f) in enumerate(zip(np.tanh(sums[value]), 1 / (1 + np.exp(-2 * sums[gate])), strict=True)):
                held[k] = f * held[k] + (1 - f) * z
            means[i, direction] = held
    return means.reshape(n, 2 * KEPT)


def naive_memory(memory: Memory, heard: NDArray[Any]) -> NDArray[Any]:
    """What is remembered at each sentence of a document, or of a lane, one member after the other."""
    arrays = memory.first, memory.first_bias, memory.second, memory.second_bias
    found = []
    for member, (first, first_bias, second, second_bias) in enumerate(zip(*arrays, strict=True)):
        own = heard[:, member * HEARD : (member + 1) * HEARD]
        found.append(naive_layer(second, second_bias, naive_layer(first, first_bias, own)))
    return np.concatenate(found, 1)


@pytest.mark.parametrize("members", [1, 2, 3])
@pytest.mark.parametrize("lengths", [[1], [2], [3], [30], [1, 1, 1], [3, 1, 12], [5, 5], [2, 9, 1, 9, 4]], ids=str)
def test_memory_is_that_of_a_slow_reference(lengths: list[int], members: int) -> None:
    rng = np.random.default_rng([7, *lengths])
    heard = rng.uniform(-1, 1, (sum(lengths), members * HEARD)).astype(np.float32)
    mind = random_memory(len(lengths), members=members)
    begins = np.isin(np.arange(len(heard)), np.cumsum([0, *lengths]))
    found = remember(mind, heard, begins)
    assert found.shape == (sum(lengths), members * 2 * KEPT)
    for first, length in zip(np.cumsum([0, *lengths]), lengths, strict=False):
        expected = naive_memory(mind, heard[first : first + length])
        assert found[first : first + length] == pytest.approx(expected, abs=1e-5)
        assert np.ptp(expected) > 0.4


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 16, 17, 99, 1000])
def test_runs_side_by_side_are_one_run(size: int) -> None:
    rng = np.random.default_rng(size)
    kept, added = rng.uniform(0, 1, (size, 2, 5)).astype(np.float32), rng.normal(0, 1, (size, 2, 5)).astype(np.float32)
    kept[rng.random(kept.shape) < 0.1] = 0
    held, expected = np.zeros((2, 5)), np.zeros((size, 2, 5))
    for i in range(size):
        expected[i] = held = kept[i] * held + added[i]
    before = kept.copy(), added.copy()
    assert running(kept, added) == pytest.approx(expected, abs=1e-5)
    assert (kept == before[0]).all()
    assert (added == before[1]).all()


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=6), st.integers(1, 12), st.integers(1, 12))
@example([0, 12, 13, 0, 24, 1, 25], 12, 3)
@example([], 1, 1)
def test_every_sentence_is_asked_once_and_hears_its_margins(lengths: list[int], lane: int, margin: int) -> None:
    documents = np.cumsum([0, *lengths])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "LANE", lane)
        patch.setattr(memory, "MARGIN", margin)
        found = lanes(documents)
    asked: list[int] = []
    for heard, begins, ends, until in zip(*(rows.tolist() for rows in found), strict=True):
        asked += range(begins, ends)
        number = int(documents.searchsorted(begins, "right")) - 1
        first, last = documents[number], documents[number + 1]
        assert first <= heard <= begins < ends <= until <= last
        assert until - heard <= lane + 2 * margin
        assert heard in (first, begins - margin)
        assert until in (last, ends + margin)
        if last - first <= lane:
            assert (heard, begins, ends, until) == (first, first, last, last)
    assert asked == list(range(documents[-1]))


# Decoding.


def random_chain(separator: Separator, seed: int, size: float) -> Chain:
    """A chain of the right shapes with random weights."""
    rng = np.random.default_rng(seed)
    chain = separator.model.chain
    kept = {"mean": chain.mean, "spread": chain.spread, "temperature": chain.temperature}
    return Chain(
        **kept,
        **{
            f.name: rng.normal(0, size, getattr(chain, f.name).shape).astype(np.float32)
            for f in fields(Chain)
            if f.name not in kept
        },
    )


def naive_potentials(
    chain: Chain, mind: Memory, around: Context, lane: int = 10**9, margin: int = 0
) -> list[NDArray[Any]]:
    """(n, 3, 3) of each document, from label to label into each sentence; long ones in lanes, each read for itself."""
    features, edges = around.features.astype(float), edge_features(around).astype(float)
    found = []
    for first, last in itertools.pairwise(around.documents.tolist()):
        standard = np.clip((features[first:last] - chain.mean) / chain.spread, -6, 6)
        heard = np.tanh(standard @ chain.hidden + chain.hidden_bias)
        logs = np.zeros((last - first, 3, 3))
        for i in range(last - first):
            begin = i - i % lane
            read = range(max(begin - margin, 0), min(begin + lane + margin, last - first))
            if i == begin:
                remembered = naive_memory(mind, heard[read])
                told = dict(zip(read, np.concatenate([remembered, heard[read]], 1), strict=True))
            for one, other in itertools.product(range(3), repeat=2):
                logs[i, one, other] = standard[i] @ chain.weights[:, other] + chain.bias[other]
                logs[i, one, other] += told[i] @ chain.told[:, other]
                if not i:
                    logs[i, one, other] += chain.first[other]
                    continue
                logs[i, one, other] += edges[first + i] @ chain.edges[:, one, other]
                logs[i, one, other] += told[i - 1] @ chain.turns[0, :, one, other]
                logs[i, one, other] += told[i] @ chain.turns[1, :, one, other]
        found.append(logs)
    return found


def standardising(chain: Chain, seed: int) -> Chain:
    """The chain with another mean and spread of each feature, as after a training."""
    rng = np.random.default_rng(seed)
    mean, spread = rng.normal(0, 1, chain.mean.shape), rng.uniform(0.5, 2, chain.spread.shape)
    return replace(chain, mean=mean.astype(np.float32), spread=spread.astype(np.float32))


CUTS = [
    # LANE, MARGIN, WAITING, BLOCK
    (1024, 128, 4096, 1024),
    (4, 2, 4096, 1024),
    (4, 2, 1, 3),
    (3, 1, 9, 5),
    (1, 1, 1, 1),
]


def cut(patch: pytest.MonkeyPatch, lane: int, margin: int, waiting: int = 4096, block: int = 1024) -> None:
    """Documents are read in such pieces from now on."""
    patch.setattr(memory, "LANE", lane)
    patch.setattr(memory, "MARGIN", margin)
    patch.setattr(decode, "WAITING", waiting)
    patch.setattr(surroundings, "BLOCK", block)


@pytest.mark.parametrize(("lane", "margin", "waiting", "block"), CUTS)
def test_the_potentials_are_those_of_a_slow_reference(
    lane: int, margin: int, waiting: int, block: int, separator: Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, around = surrounded(*TEXTS, LINES, "", ARTICLE)
    chain, mind = standardising(random_chain(separator, 1, 0.1), 3), random_memory(2)
    expected = naive_potentials(chain, mind, around, lane, margin)
    cut(monkeypatch, lane, margin, waiting, block)
    assert evidence(chain, mind, around) == pytest.approx(np.concatenate(expected), abs=2e-4)
    if lane < 1000:
        whole = np.concatenate(naive_potentials(chain, mind, around))
        assert np.abs(whole - np.concatenate(expected)).max() > 1e-2  # what is further away would be heard


def test_each_weight_counts_in_the_potentials(separator: Separator) -> None:
    """What the tests against the slow reference would not see if it were multiplied by zero there."""
    *_, around = surrounded(*TEXTS, LINES)
    chain, mind = standardising(random_chain(separator, 1, 0.1), 3), random_memory(2)
    whole = evidence(chain, mind, around)
    for f in fields(Chain):
        if f.name == "temperature":  # comes behind the potentials
            continue
        less = getattr(chain, f.name) * np.float32(f.name == "spread" and 2)
        assert np.abs(evidence(replace(chain, **{f.name: less}), mind, around) - whole).max() > 0.01, f.name
    for f in fields(Memory):
        less = np.zeros_like(getattr(mind, f.name))
        assert np.abs(evidence(chain, replace(mind, **{f.name: less}), around) - whole).max() > 0.01, f.name


@pytest.mark.parametrize("lane", [1, 3, 16])
def test_lanes_that_hear_the_whole_document_change_nothing(
    lane: int, separator: Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, *_, around = surrounded(LINES, *TEXTS, LINES * 2)
    chain, mind = random_chain(separator, 1, 0.1), random_memory(2)
    whole = evidence(chain, mind, around)
    cut(monkeypatch, lane, len(batch), block=7)
    assert len(lanes(around.documents).begins) > len(batch) / 20
    assert evidence(chain, mind, around) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("waiting", [1, 7, 40, 10**6])
@pytest.mark.parametrize("block", [5, 1024])
def test_how_many_sentences_wait_changes_nothing(
    waiting: int, block: int, separator: Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, *_, around = surrounded(*TEXTS, LINES, "", LINES, ARTICLE)
    chain, mind = random_chain(separator, 1, 0.1), random_memory(2)
    cut(monkeypatch, 8, 3)
    whole = evidence(chain, mind, around)
    cut(monkeypatch, 8, 3, waiting, block)
    pieces = list(spoken(chain, mind, around))
    assert (len(pieces) > 5) == (waiting < 10 and block < 10)
    said = Spoken(*map(np.concatenate, zip(*pieces, strict=True)))
    assert said.rows.tolist() == list(range(len(batch)))
    assert said.potentials == pytest.approx(whole, abs=1e-5)
    assert evidence(chain, mind, around) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("cuts", [(1024, 128), (5, 2)], ids=str)
def test_a_document_has_the_same_potentials_alone_and_in_any_batch(
    cuts: tuple[int, int], separator: Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(monkeypatch, *cuts)
    rng = np.random.default_rng(6)
    texts = [LINES, *TEXTS, *pages(10), LINES * 3]
    chain, mind = random_chain(separator, 1, 0.1), random_memory(2)
    alone = [separator.stages([text]) for text in texts]

    def potentials(order: list[int]) -> NDArray[Any]:
        """With the scores of each document alone, so that only the chain and its memory are asked."""
        batch, _, found = encoded(*(texts[k] for k in order))
        scores = np.concatenate([alone[k].scores for k in order])
        vectors = np.concatenate([np.concatenate(alone[k].around.vectors) for k in order])
        return evidence(chain, mind, context(batch, found, scores, vectors))

    single = [potentials([k]) for k in range(len(texts))]
    for _ in range(4):
        order = rng.integers(0, len(texts), 12).tolist()
        assert potentials(order) == pytest.approx(np.concatenate([single[k] for k in order]), abs=1e-5)


@pytest.mark.parametrize("borders", [[40], [1, 2], [30, 30, 35]], ids=str)
def test_columns_may_come_in_pieces(borders: list[int], separator: Separator) -> None:
    *_, around = surrounded(LINES)
    chain = standardising(random_chain(separator, 1, 0.1), 3)
    features, edges = around.features, edge_features(around)
    assert decode.heard(chain, *np.split(features, borders, 1)) == pytest.approx(
        decode.heard(chain, features), abs=1e-5
    )
    assert decode.turned(chain, *np.split(edges, borders, 1)) == pytest.approx(decode.turned(chain, edges), abs=1e-5)


def test_shares_of_features_add_up_to_what_is_said(separator: Separator) -> None:
    """By the definition: slopes summed up on the way from no feature to all of them, and the ends of that way."""
    *_, around = surrounded(LINES)
    chain, mind = standardising(random_chain(separator, 1, 0.1), 3), random_memory(2)
    (said,) = spoken(chain, mind, around)
    standard = decode.standardised(around.features, chain.mean, chain.spread)
    brought, average = shares(chain, standard)
    remembered = said.told[:, : chain.remembered] @ chain.told[: chain.remembered]
    assert brought.sum(1) + average + remembered == pytest.approx(said.emission, abs=1e-4)

    def emission(features: NDArray[Any]) -> NDArray[Any]:
        layer = np.tanh(features @ chain.hidden + chain.hidden_bias)
        return np.asarray(features @ chain.weights + chain.bias + layer @ chain.told[chain.remembered :])

    row = standard[9].astype(float)
    assert average == pytest.approx(emission(np.zeros_like(row)), abs=1e-5)
    way = ((np.arange(400) + 0.5) / 400)[:, None] * row
    for feature in np.argsort(-np.abs(row))[[0, 3, 9, 20]].tolist():
        step = 1e-5 * np.eye(len(row))[feature]
        slope = (emission(way + step) - emission(way - step)) / 2e-5
        assert brought[9, feature] == pytest.approx(row[feature] * slope.mean(0), abs=1e-4)
    none, _ = shares(chain, np.zeros_like(standard))
    assert not none.any()


def brute_force(logs: NDArray[Any]) -> NDArray[Any]:
    """The marginals of one document by the sum over all paths."""
    n = len(logs)
    paths = list(itertools.product(range(3), repeat=n))
    weights = np.array(
        [logs[0, 0, path[0]] + sum(logs[i, path[i - 1], path[i]] for i in range(1, n)) for path in paths]
    )
    chances = np.exp(weights - weights.max())
    marginal = np.zeros((n, 3))
    for path, chance in zip(paths, chances, strict=True):
        for i, label in enumerate(path):
            marginal[i, label] += chance
    return np.asarray(marginal / chances.sum())


def random_potentials(lengths: Sequence[int], size: float, seed: Sequence[int]) -> NDArray[Any]:
    """Of documents of so many sentences; into the first of each the same from every label."""
    logs = np.random.default_rng(seed).normal(0, size, (sum(lengths), 3, 3))
    for first, length in zip(np.cumsum([0, *lengths]), lengths, strict=False):
        if length:
            logs[first] = logs[first, 0]
    return logs


@pytest.mark.parametrize("size", [0.1, 3.0, 30.0])
@pytest.mark.parametrize(
    "lengths", [[1], [2], [3], [4], [5], [6], [1, 1], [3, 1, 2], [0, 6, 0, 0, 2, 0], [5, 4, 3, 2, 1]], ids=str
)
def test_marginals_are_those_of_all_paths(lengths: list[int], size: float) -> None:
    logs = random_potentials(lengths, size, [*lengths, int(size * 10)])
    found = marginals(logs)
    assert found.sum(1) == pytest.approx(np.ones(len(logs)))
    for first, length in zip(np.cumsum([0, *lengths]), lengths, strict=False):
        if length:
            rows = slice(first, first + length)
            assert found[rows] == pytest.approx(brute_force(logs[rows]), abs=1e-7)


@pytest.mark.parametrize("size", [0.05, 0.2, 1.0])
def test_the_chances_are_those_of_all_paths_through_the_slow_potentials(size: float, separator: Separator) -> None:
    """From the context features to the chances, by nothing but the references."""
    chain, mind = random_chain(separator, 4, size), random_memory(2)
    small = Separator(replace(separator.model, chain=chain, memory=mind))
    stages = small.stages(["Vorweg.", f"{ARTICLE} {COMMENT}\n\n{LINK}\n„Wir prüfen das“, sagt sie.", *pages(6)])
    expected = naive_potentials(chain, mind, stages.around)
    checked = 0
    for number, logs in enumerate(expected):
        if 0 < len(logs) <= 7:
            tempered = brute_force(logs) ** (1 / 1.25)
            tempered /= tempered.sum(1, keepdims=True)
            assert stages.chances[stages.sentences.rows(number)] == pytest.approx(tempered, abs=2e-4)
            checked += len(logs)
    assert checked >= 12
    assert np.ptp(marginals(stages.logs), axis=0).min() > 0.3


def test_marginals_of_long_documents_stay_finite() -> None:
    found = marginals(random_potentials([5000], 30, [3]))
    assert np.isfinite(found).all()
    assert found.sum(1) == pytest.approx(np.ones(5000))


def test_messages_in_stretches_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    logs = np.random.default_rng(4).normal(0, 5, (1001, 3, 3))
    whole = marginals(logs)
    for size in (1, 7, 100, 1001):
        monkeypatch.setattr(messages, "STRETCH", size)
        assert marginals(logs) == pytest.approx(whole, abs=1e-12)


CHANCES = st.lists(st.tuples(*[st.floats(0.001, 1)] * 3), min_size=1, max_size=20)


@settings(deadline=None)
@given(CHANCES)
def test_favor_widens_or_narrows_what_is_article(rows: Sequence[tuple[float, float, float]]) -> None:
    chances = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    labels, confidences = zip(*(decide(chances, favor) for favor in ("precision", "balanced", "recall")), strict=True)
    strict, balanced, lenient = (found == 0 for found in labels)
    assert (balanced | ~strict).all()
    assert (lenient | ~balanced).all()
    assert (balanced == (chances.argmax(1) == 0)).all()
    for found, sure in zip(labels, confidences, strict=True):
        assert sure.tolist() == chances[np.arange(len(chances)), found].tolist()
        # What is not article is the likelier of the two others, whatever is favoured.
        others = found != 0
        assert (found[others] == 1 + chances[others, 1:].argmax(1)).all()


def test_favor_matters() -> None:
    chances = np.array([[0.6, 0.4, 0.0], [0.4, 0.6, 0.0], [0.1, 0.0, 0.9]])
    assert [decide(chances, favor)[0].tolist() for favor in FAVORS] == [[1, 1, 2], [0, 1, 2], [0, 0, 2]]


@settings(deadline=None)
@given(CHANCES, st.floats(0.25, 4))
def test_calibration_divides_the_log_odds(
    separator: Separator, rows: Sequence[tuple[float, float, float]], temperature: float
) -> None:
    chances = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    chain = replace(separator.model.chain, temperature=np.array(temperature, np.float32))
    found = calibrated(chain, chances)
    assert found.sum(1) == pytest.approx(1)
    assert np.diff(np.log(found)) == pytest.approx(np.diff(np.log(chances)) / temperature, rel=1e-4, abs=1e-4)


def test_a_higher_temperature_makes_less_sure_of_the_same_labels(separator: Separator) -> None:
    chain = separator.model.chain
    texts = [*TEXTS, LINES]
    usual, cool = (
        list(Separator(replace(separator.model, chain=replace(chain, temperature=np.float32(t)))).separate_many(texts))
        for t in (1.25, 2.5)
    )
    sure, less = (np.concatenate([found.confidences for found in each]) for each in (usual, cool))
    assert [found.labels.tolist() for found in usual] == [found.labels.tolist() for found in cool]
    assert (less <= sure).all()
    assert (sure - less).max() > 0.1


# All stages together.


@pytest.fixture(scope="module")
def scattered(separator: Separator) -> Separator:
    """A model of random weights: every n-gram and every cue counts for something."""
    rng = np.random.default_rng(7)
    sentence = separator.model.sentence
    weights = {
        f.name: rng.normal(0, 0.5, getattr(sentence, f.name).shape).astype(np.float32)
        for f in fields(SentenceModel)
        if f.name not in ("mean", "spread")
    }
    sentence = replace(sentence, **weights)
    chain, mind = random_chain(separator, 3, 0.05), random_memory(2)
    return Separator(replace(separator.model, sentence=sentence, chain=chain, memory=mind))


def pages(number: int) -> list[str]:
    rng = np.random.default_rng(5)
    lines = [ARTICLE, COMMENT, LINK, "➖➖➖", "„Wir prüfen das", "das“, sagte sie.", "", "Ich auch 😂", "Rat vertagt"]
    return ["\n".join(lines[k] for k in rng.integers(0, len(lines), rng.integers(1, 12))) for _ in range(number)]


def test_the_scattered_model_uses_all_labels(scattered: Separator) -> None:
    labels = Counter(s.label for found in scattered.separate_many(pages(40)) for s in found.sentences)
    assert set(labels) == set(LABELS)
    assert min(labels.values()) > 5


def same(one: Any, other: Any) -> None:
    assert one.text == other.text
    assert one.starts.tolist() == other.starts.tolist()
    assert one.ends.tolist() == other.ends.tolist()
    assert one.lone_labels.tolist() == other.lone_labels.tolist()
    assert one.lone_scores == pytest.approx(other.lone_scores, abs=1e-6)
    assert one.labels.tolist() == other.labels.tolist()
    assert one.confidences == pytest.approx(other.confidences, abs=1e-6)


def test_the_first_sentence_of_a_batch_has_the_ngrams_of_any_other() -> None:
    batch = encode([ARTICLE, ARTICLE])
    for family in families(batch, look_up(batch)):
        both = [family.index[f : f + n].tolist() for f, n in zip(family.first, family.count, strict=True)]
        assert both[0] == both[1], family.name


def test_a_document_comes_out_the_same_alone_and_in_any_batch(scattered: Separator) -> None:
    texts = [*TEXTS, *pages(30)]
    alone = [scattered.separate(text) for text in texts]
    orders = [list(range(len(texts))), list(reversed(range(len(texts)))), [5] * 3 + list(range(len(texts)))]
    for order in orders:
        for k, found in zip(order, scattered.separate_batch([texts[k] for k in order]), strict=True):
            same(found, alone[k])


def test_a_document_comes_out_the_same_in_any_batch_behind_another(scattered: Separator) -> None:
    texts = [*TEXTS, *pages(30)]
    alone = [scattered.separate_batch(["Vorweg.", text])[1] for text in texts]
    for order in (list(range(len(texts))), list(reversed(range(len(texts))))):
        found = scattered.separate_batch(["Vorweg.", *(texts[k] for k in order)])[1:]
        for k, one in zip(order, found, strict=True):
            same(one, alone[k])


def test_batches_of_many_documents(separator: Separator) -> None:
    texts = pages(600)
    found = list(separator.separate_many(iter(texts)))
    assert [f.text for f in found] == texts
    for k in (0, 255, 256, 257, 511, 512, 599):
        same(found[k], separator.separate(texts[k]))


def test_separating_twice_gives_the_same_bits(scattered: Separator) -> None:
    for text in TEXTS:
        one, other = scattered.separate(text), scattered.separate(text)
        assert one == other
        assert one.sentences == other.sentences
        assert one.confidences.tobytes() == other.confidences.tobytes()


def test_threads_may_share_a_separator(scattered: Separator) -> None:
    texts = pages(24)
    expected = [scattered.separate(text).sentences for text in texts]

    def work(shift: int) -> list[bool]:
        return [
            scattered.separate(texts[k]).sentences == expected[k]
            for k in ((i + shift) % len(texts) for i in range(len(texts)))
        ]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    assert all(all(result) for result in results)
    assert len(results) == 8


def test_confidence_is_the_chance_of_the_label(scattered: Separator) -> None:
    for favor in FAVORS:
        for found in (scattered.separate(text, favor=favor) for text in TEXTS):
            chances = scattered.stages([found.text]).chances
            for row, sentence in enumerate(found.sentences):
                assert sentence.confidence == pytest.approx(chances[row, LABELS.index(sentence.label)])
                assert 1 / 3 - 1e-9 <= sentence.lone_score <= 1
                assert math.isfinite(sentence.confidence)


def test_favor_keeps_more_or_less_of_a_page(scattered: Separator) -> None:
    kept = {
        favor: [
            {s[:2] for s in f.sentences if s.label == "article"}
            for f in scattered.separate_many(pages(60), favor=favor)
        ]
        for favor in FAVORS
    }
    assert all(a <= b <= c for a, b, c in zip(kept["precision"], kept["balanced"], kept["recall"], strict=True))
    sizes = [sum(map(len, kept[favor])) for favor in FAVORS]
    assert sizes[0] < sizes[1] < sizes[2]
