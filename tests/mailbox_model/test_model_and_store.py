"""Model and store, driven through the same random steps: after each, every view, counter and recovery list agrees.

POPADMIN_EXAMPLES=1000 makes as many short histories as one has time for, each with POPADMIN_STEPS=30; the long one of a
thousand steps is another with each POPADMIN_SEED.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from pytest_django import Settings

from tests.mailbox_model.choice import HypothesisChoice, SeededChoice
from tests.mailbox_model.history import STEPS, History, Step
from tests.site import counting_hasher
from tests.site.mail import Mail
from tests.site.notices import Notices

EXAMPLES = int(os.environ.get("POPADMIN_EXAMPLES", "40"))
SHORT_STEPS = int(os.environ.get("POPADMIN_STEPS", "30"))
LONG_STEPS = 1000
COMMON = {"dele", "every", "expired", "relief", "person"}
SEED = int(os.environ.get("POPADMIN_SEED", "2"))
# Most of the time mail comes and is read; a device or a quota changes now and then, and a day passes.
OFTEN = (History.deliver, History.deliver, History.deliver, History.open, History.open, History.leave, History.leave)
RARELY = {History.revoke: 20, History.set_mode: 4, History.hold: 3, History.change_rules: 4}  # one of so many


class Histories(RuleBasedStateMachine):
    """Short ones, which hypothesis makes shorter still."""

    mail: Mail

    @initialize(data=st.data())
    def make(self, data: st.DataObject) -> None:
        self.history = History(self.mail, HypothesisChoice(data))

    @rule(step=st.sampled_from(STEPS), data=st.data())
    def step(self, step: Step, data: st.DataObject) -> None:
        self.history.step(step, HypothesisChoice(data))
        self.history.agree()


@pytest.fixture
def mails(mail: Mail, letters: Notices, settings: Settings, caplog: pytest.LogCaptureFixture) -> Mail:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH]
    caplog.set_level("ERROR")
    return mail


def test_model_and_store_agree_after_every_step_of_any_history(mails: Mail) -> None:
    run_state_machine_as_test(
        type("OnThisStore", (Histories,), {"mail": mails}),
        settings=hypothesis_settings(
            max_examples=EXAMPLES,
            stateful_step_count=SHORT_STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.reuse, Phase.generate],  # an example takes a second, so a smaller one would take minutes
        ),
    )


def test_they_agree_after_each_of_a_thousand_steps(mails: Mail) -> None:
    choose = SeededChoice(SEED)
    history = History(mails, choose)
    for number in range(LONG_STEPS):
        step = choose.one(STEPS + OFTEN)
        if choose.number(1, RARELY.get(step, 1)) == 1:
            history.step(step, choose)
            try:
                history.agree()
            except AssertionError as error:
                error.add_note(f"after step {number}, {step.__name__}, of seed {SEED}")
                raise
    assert history.model.whys >= COMMON  # how large our letters are, and so what follows, depends on the date
    assert min(history.done[figure] for figure in ("silenced", "messages", "capped")) > 0, history.done
