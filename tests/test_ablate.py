"""Ablations: what is left out is left out everywhere, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning

from degloss import context
from degloss.boundary import EDGES
from degloss.decode import Chain
from degloss.memory import KEPT, Memory
from degloss_training import ablate, fit, recipe
from degloss_training.ablate import ABLATIONS, FULL, Ablation, Bench
from degloss_training.chain import ChainData
from degloss_training.metric import Judged
from degloss_training.settings import Settings

CORPUS = Path(__file__).parents[1] / "training" / "corpus"
QUICK = Settings(iterations=5, rate=0.02, epochs=3, seeds=(8,), folds=2, jobs=1)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A bench of a few authored documents, and two as if they were real text, which may share an id."""
    folder = tmp_path_factory.mktemp("ablate")
    for name in ("corpus", "gate"):
        (folder / name).mkdir()
    for k, path in enumerate(sorted(CORPUS.glob("[bc]1-0[0-2]*.txt"))):
        (folder / ("gate" if k % 9 == 0 else "corpus") / path.name).write_bytes(path.read_bytes())
    real = folder / "real.jsonl"
    real.write_text(
        '{"id": "x", "kind": "mixed", "text": "Der Rat tagt. Pfui!", "spans": ['
        '{"start": 0, "end": 13, "label": "article"}, {"start": 14, "end": 19, "label": "uncertain"}]}\n'
        '{"id": "x", "kind": "mixed", "text": "Der Rat tagt. Pfui!", "spans": []}\n',
        "utf-8",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "LAYOUTS", dict.fromkeys(recipe.LAYOUTS, 40))
        return ablate.bench(folder / "corpus", folder / "gate", None, [real])


def test_nothing_judged_was_trained_on(small: Bench) -> None:
    names = [d.name for d in small.data.documents]
    trained, judged = ({names[d] for d in of} for of in (small.train, small.test))
    assert trained
    assert judged
    assert not trained & judged
    assert {int(b) for b in small.data.bucket[small.train]} <= set(range(10)) - set(ablate.TEST)
    assert {small.sets[name] for name in judged} == {"authored", "real"}
    assert {"real/0", "real/1"} <= judged


@pytest.mark.parametrize("ablation", ABLATIONS, ids=lambda a: a.name)
def test_each_ablation_leaves_out_something_and_not_everything(small: Bench, ablation: Ablation) -> None:
    names = {
        "families": ["word", "words", "skeleton 2", "skeleton 3", "skeleton 4", "characters 3", "characters 5"],
        "cues": list(small.data.cues.names),
        "context": list(context.names(small.data.cues)),
        "edges": list(EDGES),
        "documents": [small.data.documents[d].kind for d in small.train],
    }
    missing = {of for of, all_names in names.items() if not all(map(getattr(ablation, of), all_names))}
    both = {"context", "edges"}  # where the same features stand
    expected = 0 if ablation.name == FULL or not ablation.memory else 2 if missing == both else 1
    assert len(missing) == expected
    for of in missing:
        assert any(map(getattr(ablation, of), names[of]))


def test_each_source_of_data_and_cue_of_a_boundary_is_left_out_once(small: Bench) -> None:
    kinds = {*recipe.LAYOUTS, *(small.data.documents[d].kind for d in small.train if small.data.documents[d].authored)}
    assert {kind for kind in kinds if all(a.documents(kind) for a in ABLATIONS)} <= {"seed", "relay seed"}
    assert [name for name in EDGES if all(a.edges(name) for a in ABLATIONS)] == []


def test_what_is_left_out_has_no_weight(
    small: Bench, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(ablate, "SETTINGS", QUICK)
    fitted: list[ChainData] = []
    fit_chain = fit.fit_chain
    monkeypatch.setattr(fit, "fit_chain", lambda *given: fitted.extend(given[:2]) or fit_chain(*given))
    gone = Ablation("x", cues=lambda n: not n.startswith(("lexicon", "document")),
                    context=lambda n: not n.startswith("likeness"),
                    edges=lambda n: n != "blank line", families=lambda n: n != "word")  # fmt: skip
    judged = ablate.judged(small, gone)
    assert len(fitted) == 2  # by kin and by strangers
    assert not [w for w in recwarn if issubclass(w.category, (ConvergenceWarning, RuntimeWarning))]  # both are meant
    names = context.names(small.data.cues)
    left = [i for i, name in enumerate(names) if name.startswith("likeness") or "lexicon" in name]
    assert left
    for data in fitted:
        assert not data.features[:, left].any()
        assert data.features.any()
        assert not data.edges[:, EDGES.index("long text")].any()
        assert not data.edges[:, EDGES.index("blank line")].any()
        assert data.edges[:, EDGES.index("new line")].any()
    assert small.data.cues.column("lexicon reporting").any()  # the shared arrays stay as they were
    assert len(judged) == len(small.test)
    assert {j.name: j.gold for j in judged if j.name.startswith("real/")} == {"real/0": (0,), "real/1": ()}


def test_without_memory_the_chain_is_told_nothing_of_it(small: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablate, "SETTINGS", QUICK)
    fitted: list[tuple[Chain, Memory]] = []
    fit_chain = fit.fit_chain
    monkeypatch.setattr(fit, "fit_chain", lambda *given: fitted.append(fit_chain(*given)) or fitted[-1])
    whole, without = (list(ablate.judged(small, a)) for a in ABLATIONS if a.name in (FULL, "memory"))
    told = [[chain.told[: 2 * KEPT].any(), chain.turns[:, : 2 * KEPT].any()] for chain, _ in fitted]
    assert told == [[True, True], [False, False]]
    assert [j.name for j in whole] == [j.name for j in without]


def test_worth_is_what_is_lost_without_it() -> None:
    whole = [Judged(str(i), "authored", (0, 1, 1), (0, 1, 1)) for i in range(20)]
    without = [Judged(str(i), "authored", (0, 1, 1), (0, 1, 0)) for i in range(20)]
    worth = ablate.worth(whole, without)["authored"]["F commentary"]
    assert worth.value == pytest.approx(1 - 2 / 3)
    assert worth.low > 0.3
    rows = [*ablate.rows(FULL, whole, whole), *ablate.rows("words", whole, without)]
    assert [row["without"] for row in rows] == ["nothing: the measures themselves", "words"]
    assert "+0.333" in ablate.markdown(rows)
    assert "+0.000 [–]" in ablate.markdown(rows)  # no boilerplate to find
    assert "NaN" not in json.dumps(rows)


def test_the_same_twice(small: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablate, "SETTINGS", QUICK)
    one, two = (ablate.judged(small, ABLATIONS[0]) for _ in range(2))
    assert one == two
    assert len({j.predicted for j in one}) > 1
