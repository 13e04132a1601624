"""The bench of the learner: each way to play has the keys of the spec, on the same cases; none beats the optimum."""

from pathlib import Path

import pytest

from benchmarks import rl
from domain.errors import BadInput
from twin.ground.scenarios import Trouble


def test_a_file_of_ones_own_is_refused_since_it_would_not_be_unseen(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="leave --data away"):
        rl.run(True, tmp_path, lambda _: None)


def test_the_learner_stands_beside_its_baselines_and_two_networks_promote_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rl, "_QUICK_NETWORKS", 2)
    monkeypatch.setattr(rl, "_LP_S", 0.1)
    told: list[str] = []

    made = rl.run(True, None, told.append)

    figures, baselines = made["figures"], made["baselines"]
    assert set(baselines) >= {"nothing", "random", "greedy", "lp"}
    for table in (figures, *baselines.values()):
        assert {"ratio_to_lp", "violations", *Trouble} <= set(table)
        assert table["ratio_to_lp"] >= 1.0
        assert all(table[trouble]["regret"] >= -1e-6 for trouble in Trouble)
    assert figures["ratio_to_lp"] < baselines["nothing"]["ratio_to_lp"]
    assert figures["violations"] == 0
    assert figures["promoted"] is False
    assert made["conditions"]["n_networks"] == len(told) == 2
