"""Sign-in over real rows: one reply and one cost for every stranger, and no stranger bars an owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from mailstore.bodies.files import FileBodies
from mailstore.directory import admins, devices, domain_removal, mailbox_removal, mailboxes
from mailstore.errors import (
    Abandoned,
    BadCredentials,
    MainPasswordBarred,
    PopSwitchedOff,
    Throttled,
    Unavailable,
)
from mailstore.maildrop.accounts import StoredAccounts
from mailstore.maildrop.last_sign_in import LastSignIns
from mailstore.models import Device, Domain, KnownNetwork, Mailbox, RetentionPolicy, User
from mailstore.pg.pipeline import StatementFailed
from mailstore.policy.networks import KNOWN_DAYS, NETWORKS_KEPT, NETWORKS_LIMIT
from mailstore.policy.throttle import WRONG_PASSWORDS_A_DAY
from mailstore.ports import Credentials, SignIn
from mailstore.retention import sweep
from mailstore.sql.connection_pool import ConnectionPool
from mailstore.sql.statements.sign_in import SITE_EXPIRY
from tests.site import counting_hasher
from tests.site.counting_hasher import Counting, Gated, cost
from tests.site.empty_body_store import EmptyBodyStore
from tests.site.rows import ACTOR, PASSWORD, a_domain, a_mailbox, a_message
from tests.site.worker import Worker

ANN, HOME, ELSEWHERE = "ann@example.org", "192.0.2.7", "198.51.100.9"
SignIns = Callable[..., object]


@pytest.fixture(autouse=True)
def cheap_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [counting_hasher.PATH]


@pytest.fixture
def sign_in(worker: Worker, accounts: StoredAccounts) -> SignIns:
    def call(
        secret: str = PASSWORD, address: str = ANN, client: str = HOME, among: StoredAccounts = accounts
    ) -> object:
        return worker.ask(lambda done: among.sign_in(credentials(secret, address, client), done))

    return call


def credentials(secret: str, address: str = ANN, client: str = HOME) -> Credentials:
    return Credentials(address, secret, client, loopback=False)


def guess(worker: Worker, accounts: StoredAccounts, times: int, *addresses: str) -> None:
    """Try as many distinct wrong passwords from elsewhere, and return when all of them were counted."""
    Counting.runs = 0

    async def begin() -> None:
        for n in range(times):
            address = addresses[n % len(addresses)]
            accounts.sign_in(credentials(f"guess {n}", address, ELSEWHERE), lambda _: None)

    worker.run(begin())
    worker.until(lambda: Counting.runs == times, "every guess was tried")
    worker.ask(lambda done: accounts.sign_in(credentials("a last one", "flush@example.net", "203.0.113.1"), done))


# --- who gets in --------------------------------------------------------------------------------------------------


@pytest.mark.req("P-040")
@pytest.mark.parametrize("address", [ANN, "Ann@Example.ORG", "ANN@EXAMPLE.ORG"])
def test_the_right_password_opens_the_maildrop_under_any_case_of_the_address(sign_in: SignIns, address: str) -> None:
    box = a_mailbox()
    a_message(box, octets=70)
    a_message(box, octets=30)
    found = sign_in(address=address)
    assert (found.address, found.messages, found.octets, found.expire_days) == (ANN, 2, 100, None)


@pytest.mark.parametrize("secret", [" lead", "trail ", "a  b", "päss wörd", "'; --", "%s%n", "x" * 500])
def test_a_password_is_taken_as_it_is(sign_in: SignIns, secret: str) -> None:
    user = a_mailbox().user
    user.set_password(secret)
    user.save()
    assert sign_in(secret).address == ANN
    assert isinstance(sign_in(secret.strip() + "."), BadCredentials)


def _suspended_user() -> tuple[str, str]:
    User.objects.update(is_active=False)
    return PASSWORD, ANN


def _device_of_a_suspended_user() -> tuple[str, str]:
    _device, secret = devices.add(ANN, "Phone", actor=ACTOR)
    User.objects.update(is_active=False)
    return secret, ANN


def _removed_mailbox() -> tuple[str, str]:
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    return PASSWORD, ANN


def _removed_domain() -> tuple[str, str]:
    domain_removal.remove("example.org", actor=ACTOR, with_mailboxes=True)
    return PASSWORD, ANN


def _suspended_domain() -> tuple[str, str]:
    Domain.objects.update(active=False)
    return PASSWORD, ANN


def _unusable_password() -> tuple[str, str]:
    user = User.objects.get()
    user.set_unusable_password()
    user.save()
    return PASSWORD, ANN


def _administrator() -> tuple[str, str]:
    admins.ensure("root@example.org", actor=ACTOR, password=PASSWORD)
    return PASSWORD, "root@example.org"


# What makes each case, with Ann's mailbox there; it returns the secret and the address to sign in with.
REFUSED: dict[str, Callable[[], tuple[str, str]]] = {
    "wrong password": lambda: ("wrong", ANN),
    "what looks like a device's secret": lambda: ("abcdefgh-abcdefgh-abcdefgh-abcdefgh", ANN),
    "unknown user": lambda: (PASSWORD, "nobody@example.org"),
    "unknown domain": lambda: (PASSWORD, "ann@example.net"),
    "no address": lambda: (PASSWORD, "../../etc/passwd"),
    "suspended user": _suspended_user,
    "device of a suspended user": _device_of_a_suspended_user,
    "suspended domain": _suspended_domain,
    "removed mailbox": _removed_mailbox,
    "removed domain": _removed_domain,
    "unusable password": _unusable_password,
    "administrator": _administrator,
}


@pytest.mark.req("P-117")
@pytest.mark.req("P-189")
@pytest.mark.parametrize("case", REFUSED)
def test_every_refusal_is_the_same_and_costs_one_slow_hash(sign_in: SignIns, case: str) -> None:
    a_mailbox()
    secret, address = REFUSED[case]()
    answer, hashes = cost(lambda: sign_in(secret, address))
    assert type(answer) is BadCredentials
    assert hashes == 1


@pytest.mark.req("P-039")
@pytest.mark.parametrize(
    "address", ["a'OR'1'='1", "%{user}", "*", "@" * 240, "a@b@c", ".", "ann@example.org'--", "\u202eann@example.org"]
)
def test_a_name_is_only_data(sign_in: SignIns, address: str) -> None:
    a_mailbox()
    assert type(sign_in(PASSWORD, address)) is BadCredentials


# --- devices and switches -----------------------------------------------------------------------------------------


def test_a_devices_secret_opens_its_own_view_in_any_grouping_without_a_slow_hash(sign_in: SignIns) -> None:
    box = a_mailbox()
    a_message(box, octets=70)
    _device, secret = devices.add(ANN, "Phone", actor=ACTOR, start="now")
    box.refresh_from_db()
    a_message(box, octets=30)
    for spelling in (secret, secret.upper(), secret.replace("-", " "), secret.replace("-", "")):
        found, hashes = cost(lambda spelling=spelling: sign_in(spelling))
        assert (found.device, found.messages, found.octets, hashes) == ("Phone", 1, 30, 0)


def test_a_revoked_devices_secret_is_refused(sign_in: SignIns) -> None:
    a_mailbox()
    _device, secret = devices.add(ANN, "Phone", actor=ACTOR)
    devices.revoke(ANN, "Phone", actor=ACTOR)
    assert type(sign_in(secret)) is BadCredentials


def test_a_devices_secret_opens_no_other_mailbox(sign_in: SignIns) -> None:
    a_mailbox()
    a_mailbox("bob@example.org")
    _device, secret = devices.add("bob@example.org", "Phone", actor=ACTOR)
    assert type(sign_in(secret)) is BadCredentials


@pytest.mark.parametrize(("switch", "said"), [("pop", PopSwitchedOff), ("main_pop", MainPasswordBarred)])
def test_a_switch_is_spoken_of_only_after_the_right_password(sign_in: SignIns, switch: str, said: type) -> None:
    box = a_mailbox()
    _device, secret = devices.add(ANN, "Phone", actor=ACTOR)
    Mailbox.objects.filter(pk=box.pk).update(**{switch: False})
    assert type(sign_in("wrong")) is BadCredentials
    assert type(sign_in(PASSWORD)) is said
    by_device = sign_in(secret)
    assert type(by_device) is PopSwitchedOff if switch == "pop" else by_device.device == "Phone"


# --- the memory of verified passwords -----------------------------------------------------------------------------


def test_a_password_verified_before_costs_no_slow_hash_until_it_changes(sign_in: SignIns) -> None:
    a_mailbox()
    assert cost(sign_in)[1] == 1
    assert cost(sign_in)[1] == 0
    mailboxes.set_password(ANN, "another good pass phrase", actor=ACTOR)
    answer, hashes = cost(sign_in)
    # It decides the reply. That this was the previous password is known, since this process has verified it.
    assert (type(answer), hashes, str(answer)) == (BadCredentials, 1, "previous password")
    assert sign_in("another good pass phrase").address == ANN


def test_a_suspension_holds_at_once_and_costs_what_a_stranger_costs(sign_in: SignIns) -> None:
    a_mailbox()
    sign_in()
    User.objects.update(is_active=False)
    answer, hashes = cost(sign_in)
    assert (type(answer), hashes) == (BadCredentials, 1)


def test_a_wrong_password_beside_a_verified_one_is_still_wrong(sign_in: SignIns) -> None:
    a_mailbox()
    sign_in()
    assert type(sign_in("wrong")) is BadCredentials


# --- strangers ----------------------------------------------------------------------------------------------------


@pytest.mark.req("P-192")
def test_a_guesser_is_stopped_and_the_owner_signs_in_from_where_he_does(
    worker: Worker,
    lanes: ConnectionPool,
    bodies: FileBodies,
    last_sign_ins: LastSignIns,
    accounts: StoredAccounts,
    sign_in: SignIns,
) -> None:
    a_mailbox()
    _device, secret = devices.add(ANN, "Phone", actor=ACTOR)
    Device.objects.filter(main=True).update(last_sign_in_at=timezone.now(), last_client=HOME)
    guess(worker, accounts, WRONG_PASSWORDS_A_DAY, ANN)

    answer, hashes = cost(lambda: sign_in("one more", client=ELSEWHERE))
    assert (type(answer), hashes) == (Throttled, 0)
    # Even with the right password a stranger's place learns nothing.
    assert type(sign_in(client=ELSEWHERE)) is Throttled

    assert sign_in(client=HOME).address == ANN
    assert sign_in(secret, client="203.0.113.50").device == "Phone"


@pytest.mark.req("P-192")
def test_an_owner_on_a_journey_gets_in_while_strangers_guess_at_his_mailbox(
    worker: Worker, accounts: StoredAccounts, sign_in: SignIns
) -> None:
    """A place nobody has seen, and a worker that has not verified the password before: one slow hash, no bar."""
    a_mailbox()
    guess(worker, accounts, WRONG_PASSWORDS_A_DAY, ANN)
    found, hashes = cost(lambda: sign_in(client="203.0.113.51"))
    assert (found.address, hashes) == (ANN, 1)


@pytest.mark.req("P-192")
def test_a_neighbour_who_guesses_does_not_bar_who_signed_in_from_that_network_at_another_worker(
    worker: Worker, accounts: StoredAccounts, sign_in: SignIns
) -> None:
    a_mailbox()
    Device.objects.filter(main=True).update(last_sign_in_at=timezone.now(), last_client="198.51.100.200")
    guess(worker, accounts, WRONG_PASSWORDS_A_DAY, ANN)
    assert sign_in(client="198.51.100.201").address == ANN


def test_a_name_of_nine_thousand_octets_is_refused_as_any_other(sign_in: SignIns) -> None:
    answer, hashes = cost(lambda: sign_in(PASSWORD, "a@" + "\ufdfa" * 3000 + ".org"))
    assert (type(answer), hashes) == (BadCredentials, 1)


@pytest.mark.django_db
def test_a_page_finds_an_owner_under_every_spelling_of_his_address() -> None:
    a_mailbox()
    for spelling in (" Ann@Example.ORG ", "ann@ｅxample.org"):
        assert User.objects.get_by_natural_key(spelling).address == ANN
    for spelling in ("ann@example.org\0", "x" * 5000 + "@example.org", "\0", None):
        with pytest.raises(User.DoesNotExist):
            User.objects.get_by_natural_key(spelling)


@pytest.mark.req("P-192")
def test_every_spelling_of_an_address_is_one_account_to_the_throttle(
    worker: Worker, accounts: StoredAccounts, sign_in: SignIns
) -> None:
    a_mailbox()
    spelled = ["ann@ｅxample.org", "ANN@eｘample.org", "ann@exａmple.org", "ann@example.ｏrg", "Ann@Example.Org"]
    guess(worker, accounts, WRONG_PASSWORDS_A_DAY, *spelled)
    assert type(sign_in(client=ELSEWHERE)) is Throttled


@pytest.mark.req("P-188")
def test_a_good_sign_in_does_not_wait_behind_failures_that_are_answered_late(
    worker: Worker, accounts: StoredAccounts, sign_in: SignIns
) -> None:
    a_mailbox()
    late: list[object] = []

    async def begin() -> None:
        for n in range(40):
            accounts.sign_in(credentials(f"guess {n}", client=ELSEWHERE), late.append)

    worker.run(begin())
    assert sign_in().address == ANN
    assert len(late) < 40


# --- who waits for a slow hash ------------------------------------------------------------------------------------


class Waiting:
    """Sign-ins whose hashes wait until the test lets them run; `answers` is what each got."""

    def __init__(self, worker: Worker, accounts: StoredAccounts) -> None:
        self.worker = worker
        self.accounts = accounts
        self.answers: dict[str, object] = {}

    def begin(self, *secrets: str, address: str = ANN, client: str = ELSEWHERE) -> list[SignIn]:
        """Ask, and return once the rows have been read."""

        async def ask() -> list[SignIn]:
            return [
                self.accounts.sign_in(
                    credentials(secret, address, client), lambda answer, secret=secret: self.tell(secret, answer)
                )
                for secret in secrets
            ]

        begun = self.worker.run(ask())
        self.worker.ask(lambda done: self.accounts._lanes.read(SITE_EXPIRY, (), done))
        return begun

    def tell(self, secret: str, answer: object) -> None:
        self.answers[secret] = answer

    def act(self, *actions: Callable[[], None]) -> None:
        async def run() -> None:
            for act in actions:
                act()

        self.worker.run(run())

    def let_checks_run(self) -> list[str]:
        """Return the passwords that were checked from then on, in order."""
        before = len(Gated.checked)
        Gated.may_check.set()
        self.worker.until(lambda: not self.accounts._passwords.busy(), "all checks are over")
        return Gated.checked[before:]


@pytest.fixture
def waiting(worker: Worker, accounts: StoredAccounts, settings: Settings) -> Iterator[Waiting]:
    a_mailbox()
    a_mailbox("bob@example.org")
    settings.PASSWORD_HASHERS = [counting_hasher.GATED]
    Gated.may_check.clear()
    Gated.checked.clear()
    waiting = Waiting(worker, accounts)
    waiting.begin("held 1", address="held1@example.org", client="192.0.2.200")
    waiting.begin("held 2", address="held2@example.org", client="192.0.2.201")
    worker.until(lambda: len(Gated.checked) == 2, "the threads wait in their checks")
    yield waiting
    waiting.let_checks_run()


def test_nothing_is_checked_for_guessers_who_left_and_their_failures_are_not_counted(waiting: Waiting) -> None:
    attempts = waiting.begin(*[f"guess {n}" for n in range(30)])
    waiting.act(*[attempt.abandon for attempt in attempts])
    assert {type(waiting.answers[f"guess {n}"]) for n in range(30)} == {Abandoned}
    assert waiting.let_checks_run() == []
    waiting.begin(PASSWORD)
    waiting.worker.until(lambda: PASSWORD in waiting.answers, "the owner is in")
    assert waiting.answers[PASSWORD].address == ANN


def test_a_guesser_who_leaves_before_the_rows_are_read_costs_no_hash(waiting: Waiting) -> None:
    async def hit_and_run() -> None:
        waiting.accounts.sign_in(credentials("gone"), lambda answer: waiting.tell("gone", answer)).abandon()

    waiting.worker.run(hit_and_run())
    waiting.worker.until(lambda: waiting.answers, "the answer is there")
    assert type(waiting.answers["gone"]) is Abandoned
    assert waiting.let_checks_run() == []


def test_a_device_and_a_password_that_was_verified_need_no_turn(waiting: Waiting) -> None:
    secret = devices.add(ANN, "Phone", actor=ACTOR)[1]
    waiting.begin(*[f"guess {n}" for n in range(30)])
    waiting.begin(secret, client=HOME)
    assert waiting.answers[secret].device == "Phone"


def test_an_account_that_signed_in_from_there_goes_before_guesses_also_on_a_server_that_was_just_started(
    waiting: Waiting,
) -> None:
    KnownNetwork.objects.create(user=User.objects.get(address=ANN), network="192.0.2.0/24", seen_at=timezone.now())
    waiting.begin("a newcomer", address="bob@example.org", client="203.0.113.9")
    waiting.begin(PASSWORD, client=HOME)
    assert waiting.let_checks_run() == [PASSWORD, "a newcomer"]


def test_a_network_that_failed_waits_before_its_next_hash_and_who_is_known_there_does_not(waiting: Waiting) -> None:
    Gated.may_check.set()
    for n in range(12):
        waiting.begin(f"guess {n}", address=f"nobody{n}@example.org", client="192.0.2.100")
        waiting.worker.until(lambda n=n: f"guess {n}" in Gated.checked or n > 4, "it is checked, or delayed for long")
    waiting.worker.until(lambda: not waiting.accounts._passwords.busy(), "nothing is checked")
    (delayed,) = waiting.begin("delayed", address="bob@example.org", client="192.0.2.101")
    assert "delayed" not in Gated.checked
    assert not waiting.accounts._passwords.busy(), "it is not in the queue either"
    KnownNetwork.objects.create(user=User.objects.get(address=ANN), network="192.0.2.0/24", seen_at=timezone.now())
    waiting.begin(PASSWORD, client=HOME)
    waiting.worker.until(lambda: PASSWORD in waiting.answers, "the owner is in")
    assert waiting.answers[PASSWORD].address == ANN
    waiting.act(delayed.abandon)
    assert type(waiting.answers["delayed"]) is Abandoned
    assert "delayed" not in Gated.checked


# --- known networks -----------------------------------------------------------------------------------------------


def seen_before() -> None:
    """Every device: a first sighting is written at once, and not with the batch that a test waits for."""
    Device.objects.update(last_sign_in_at=timezone.now() - timedelta(days=9))


def known() -> list[tuple[str, str]]:
    return list(KnownNetwork.objects.order_by("network").values_list("user__address", "network"))


def test_where_an_account_signed_in_is_kept_and_written_once_a_day(
    worker: Worker, lanes: ConnectionPool, bodies: FileBodies, last_sign_ins: LastSignIns, sign_in: SignIns
) -> None:
    a_mailbox()
    phone = devices.add(ANN, "Phone", actor=ACTOR)[1]
    seen_before()
    assert isinstance(sign_in("wrong", client="203.0.113.5"), BadCredentials)
    sign_in()
    sign_in(phone, client="2001:db8::7")
    worker.get(last_sign_ins.flush)
    assert known() == [(ANN, "192.0.2.0/24"), (ANN, "2001:db8::/48")]

    old = timezone.now() - timedelta(days=2)
    KnownNetwork.objects.update(seen_at=old)
    sign_in()
    worker.get(last_sign_ins.flush)
    assert set(KnownNetwork.objects.values_list("seen_at", flat=True)) == {old}, "this worker told it today"
    another = StoredAccounts(lanes, bodies, last_sign_ins)
    sign_in(among=another)
    worker.get(last_sign_ins.flush)
    assert KnownNetwork.objects.filter(seen_at__gt=old).values_list("network", flat=True).get() == "192.0.2.0/24"
    another.close()


@pytest.fixture
def refusing() -> Iterator[Callable[[], None]]:
    """No network can be written, until this is called."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE mailstore_knownnetwork ADD CONSTRAINT refused CHECK (false)")

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE mailstore_knownnetwork DROP CONSTRAINT IF EXISTS refused")

    yield end
    end()


def test_a_network_whose_row_was_refused_is_written_at_the_next_sign_in(
    worker: Worker, last_sign_ins: LastSignIns, sign_in: SignIns, refusing: Callable[[], None]
) -> None:
    """The harm: the worker took it for written, so no other worker knew it for a day."""
    a_mailbox()
    seen_before()
    sign_in()
    assert isinstance(worker.ask(last_sign_ins.flush), StatementFailed)
    refusing()
    sign_in()
    worker.get(last_sign_ins.flush)
    assert known() == [(ANN, "192.0.2.0/24")]


def test_a_user_has_a_bounded_number_of_known_networks(
    worker: Worker, last_sign_ins: LastSignIns, sign_in: SignIns
) -> None:
    a_mailbox()
    seen_before()
    user = User.objects.get()
    KnownNetwork.objects.bulk_create(
        KnownNetwork(user=user, network=f"10.0.{n}.0/24", seen_at=timezone.now() - timedelta(hours=n))
        for n in range(NETWORKS_LIMIT)
    )
    sign_in()
    worker.get(last_sign_ins.flush)
    assert KnownNetwork.objects.count() == NETWORKS_LIMIT
    sweep.run(EmptyBodyStore())
    assert KnownNetwork.objects.count() == NETWORKS_KEPT
    assert KnownNetwork.objects.filter(network="10.0.0.0/24").exists()


def test_known_networks_are_forgotten_after_a_month_and_with_the_mailbox(
    worker: Worker, last_sign_ins: LastSignIns, sign_in: SignIns
) -> None:
    a_mailbox()
    seen_before()
    sign_in()
    worker.get(last_sign_ins.flush)
    KnownNetwork.objects.update(seen_at=timezone.now() - timedelta(days=KNOWN_DAYS, hours=1))
    sweep.run(EmptyBodyStore())
    assert known() == []
    sign_in(client="203.0.113.5")
    worker.get(last_sign_ins.flush)
    assert known() == [(ANN, "203.0.113.0/24")]
    mailbox_removal.remove(ANN, actor=ACTOR, with_mail=True)
    mailbox_removal.purge_now(ANN, actor=ACTOR)
    assert not KnownNetwork.objects.exists()


# --- a database that is away --------------------------------------------------------------------------------------


@pytest.mark.req("P-118")
def test_without_a_database_nobody_is_told_that_the_password_is_wrong(worker: Worker, bodies: FileBodies) -> None:
    lanes = ConnectionPool("host=/nowhere dbname=none connect_timeout=1", write_lanes=1)
    worker.run(lanes.open())
    accounts = StoredAccounts(lanes, bodies, LastSignIns(lanes))
    answers = worker.asked(
        *(lambda done: accounts.sign_in(credentials("x", client=ELSEWHERE), done) for _ in range(200))
    )
    assert {type(answer) for answer in answers} == {Unavailable}
    accounts.close()
    lanes.close()


# --- what is written down -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "kept"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8::7"), ("fe80::7%eth0", "fe80::7"), ("unix", None)],
)
def test_a_sighting_of_any_peer_is_written_and_spoils_no_other(
    worker: Worker, last_sign_ins: LastSignIns, sign_in: SignIns, client: str, kept: str | None
) -> None:
    a_mailbox()
    a_mailbox("bob@example.org")
    Device.objects.update(last_sign_in_at=timezone.now() - timedelta(days=9))  # a first sighting would not wait
    sign_in(client=client)
    sign_in(address="bob@example.org", client="192.0.2.8")
    worker.ask(last_sign_ins.flush)
    seen = Device.objects.order_by("mailbox__user__address").values_list("last_client", flat=True)
    assert list(seen) == [kept, "192.0.2.8"]
    assert not Device.objects.filter(last_sign_in_at__lt=timezone.now() - timedelta(days=1)).exists()


# --- what CAPA says before a sign-in ------------------------------------------------------------------------------


def site_expiry(worker: Worker, accounts: StoredAccounts) -> tuple[int | None, bool] | None:
    """What is known after a refresh: its question is answered before a later one of the same lane."""

    async def refresh() -> None:
        accounts.refresh()

    worker.run(refresh())
    worker.ask(lambda done: accounts.sign_in(credentials(PASSWORD), done))
    return accounts.site_expire_days()


def a_policy(name: str, days: int | None, *, site: bool = False) -> RetentionPolicy:
    return RetentionPolicy.objects.create(name=name, expire_days=days, site=site)


def test_without_a_policy_capa_says_never(worker: Worker, accounts: StoredAccounts) -> None:
    a_mailbox()
    assert accounts.site_expire_days() is None, "nothing is known yet"
    assert site_expiry(worker, accounts) == (None, False)


@pytest.mark.parametrize("follower", ["mailbox", "domain", "site"])
def test_a_policy_that_every_mailbox_follows_is_what_capa_says(
    worker: Worker, accounts: StoredAccounts, follower: str
) -> None:
    a_mailbox()
    policy = a_policy("month", 30, site=follower == "site")
    if follower != "site":
        {"mailbox": Mailbox, "domain": Domain}[follower].objects.update(policy=policy)
    assert site_expiry(worker, accounts) == (30, False)


def test_a_policy_nobody_follows_does_not_make_clients_fear_for_their_mail(
    worker: Worker, accounts: StoredAccounts
) -> None:
    """The harm: CAPA told of 1 day, for a draft of a policy, one of an empty domain, one that all have overridden."""
    a_mailbox()
    a_policy("draft", 1)
    a_domain("empty.example")
    Domain.objects.filter(name="empty.example").update(policy=a_policy("of nobody", 2))
    Domain.objects.filter(name="example.org").update(policy=a_policy("overridden", 3))
    a_policy("fallback", 4, site=True)
    Mailbox.objects.update(policy=a_policy("own", 30))
    assert site_expiry(worker, accounts) == (30, False)


@pytest.mark.parametrize("exception", ["held", "no policy", "another", "never"])
def test_mailboxes_that_differ_are_told_with_the_smallest(
    worker: Worker, accounts: StoredAccounts, exception: str
) -> None:
    a_mailbox()
    a_mailbox("bob@example.com")
    bob = Mailbox.objects.filter(user__address="bob@example.com")
    Domain.objects.filter(name="example.org").update(policy=a_policy("month", 30))
    if exception == "held":
        Domain.objects.update(policy=RetentionPolicy.objects.get())
        bob.update(held=True)
    elif exception != "no policy":
        bob.update(policy=a_policy("other", 60 if exception == "another" else None))
    assert site_expiry(worker, accounts) == (30, True)


def test_where_all_who_follow_a_policy_are_held_capa_says_never(worker: Worker, accounts: StoredAccounts) -> None:
    a_mailbox()
    a_policy("month", 30, site=True)
    Mailbox.objects.update(held=True)
    assert site_expiry(worker, accounts) == (None, False)


# --- what CAPA says after it --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        ({}, None),
        ({"expire_days": 30}, 30),
        ({"expire_confirmed_days": 14}, 14),
        ({"expire_days": 30, "expire_confirmed_days": 14}, 14),
        ({"expire_days": 10, "expire_confirmed_days": 14}, 10),
        ({"remove_when_confirmed": True}, 7),
        ({"remove_when_confirmed": True, "hold_days": 20, "expire_days": 90}, 20),
        ({"remove_when_confirmed": False, "hold_days": 1, "expire_days": 90}, 90),
        ({"expire_days": 30, "relief": "every"}, 30),
    ],
    ids=str,
)
def test_what_is_announced_is_the_shortest_time_that_mail_stays(
    worker: Worker, accounts: StoredAccounts, sign_in: SignIns, rules: dict[str, object], days: int | None
) -> None:
    """RFC 2449 §6.7: the minimum under any circumstances, for this mailbox, and before a sign-in for any."""
    a_mailbox()
    RetentionPolicy.objects.create(name="rules", site=True, **rules)
    assert sign_in().expire_days == days
    assert site_expiry(worker, accounts) == (days, False)
    Mailbox.objects.update(held=True)
    assert sign_in().expire_days is None
    assert site_expiry(worker, accounts) == (None, False)
