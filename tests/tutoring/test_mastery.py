"""Knowledge tracing by hand."""

from __future__ import annotations

import pytest

from empathic_sdk.tutoring import Skill, mastery
from empathic_sdk.types import Mastery


def test_three_right_answers_by_hand() -> None:
    # P(L|right) = .3*.9 / (.3*.9 + .7*.2) = .27/.41 = .658537; then + .341463*.1 = .692683
    first = mastery.update(0.3, True)
    assert first == pytest.approx(0.692683, abs=1e-6)
    # .692683*.9 = .623415; .307317*.2 = .061463; .623415/.684878 = .910256; + .089744*.1
    second = mastery.update(first, True)
    assert second == pytest.approx(0.919231, abs=1e-6)
    # .919231*.9 = .827308; .080769*.2 = .016154; .827308/.843462 = .980848; + .019152*.1
    third = mastery.update(second, True)
    assert third == pytest.approx(0.982763, abs=1e-6)
    assert second < mastery.MASTERED <= third


def test_a_wrong_answer_by_hand() -> None:
    # P(L|wrong) = .3*.1 / (.3*.1 + .7*.8) = .03/.59 = .050847; then + .949153*.1 = .145763
    assert mastery.update(0.3, False) == pytest.approx(0.145763, abs=1e-6)
    # a slip of somebody who knows: .95*.1 / (.095 + .05*.8) = .095/.135 = .703704; + .0296296
    assert mastery.update(0.95, False) == pytest.approx(0.733333, abs=1e-6)


def test_it_stays_a_probability_and_right_is_better_than_wrong() -> None:
    for hundredth in range(101):
        p = hundredth / 100
        right, wrong = mastery.update(p, True), mastery.update(p, False)
        assert 0 <= wrong <= right <= 1
        assert right >= p or p == 1


def test_observing_changes_one_entry() -> None:
    kept = {"fractions.1": Mastery(known=0.5, seen=2)}
    new = mastery.observe(kept, Skill.FRACTIONS, 1, True)
    assert new["fractions.1"].seen == 3
    assert list(new) == ["fractions.1"]
    # .5*.9 / (.45 + .1) = .818182; + .0181818
    assert new["fractions.1"].known == pytest.approx(0.836364, abs=1e-6)
    fresh = mastery.observe(kept, Skill.EQUATIONS, 2, False)
    assert fresh["equations.2"].known == pytest.approx(0.145763, abs=1e-6)


def test_an_estimate_of_another_version_does_not_count() -> None:
    old = {"fractions.1": Mastery(known=0.99, seen=9, version=mastery.VERSION + 1)}
    assert mastery.known(old, Skill.FRACTIONS, 1) == mastery.PRIOR
    assert mastery.observe(old, Skill.FRACTIONS, 1, True)["fractions.1"].seen == 1


def test_who_can_do_the_hard_can_do_the_easy() -> None:
    kept = {"fractions.3": Mastery(known=0.97, seen=4), "fractions.1": Mastery(known=0.2, seen=1)}
    assert [mastery.known(kept, Skill.FRACTIONS, n) for n in (1, 2, 3, 4)] == [
        0.97,
        0.97,
        0.97,
        0.3,
    ]
    assert mastery.working_level(kept, Skill.FRACTIONS) == 4
    assert mastery.working_level({}, Skill.FRACTIONS) == 1
    assert mastery.overall({}, Skill.EQUATIONS) == pytest.approx(0.3)
    assert mastery.overall(kept, Skill.FRACTIONS) == pytest.approx((3 * 0.97 + 0.3) / 4)


def test_skills_follow_in_their_order_and_skip_what_is_mastered() -> None:
    done = {"fractions.4": Mastery(known=0.96, seen=5)}
    assert mastery.following({}) is Skill.FRACTIONS
    assert mastery.following(done) is Skill.PERCENTAGES
    assert mastery.following(done, Skill.PERCENTAGES) is Skill.EQUATIONS
    assert mastery.following(done, Skill.DERIVATIVES) is Skill.PERCENTAGES
    everything = {f"{s}.4": Mastery(known=0.96, seen=5) for s in Skill}
    assert mastery.following(everything, Skill.DERIVATIVES) is Skill.FRACTIONS
