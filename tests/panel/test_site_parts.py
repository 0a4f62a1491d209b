"""The page of the parts: what is wrong first, then what runs, the disks and the certificates."""

from __future__ import annotations

import datetime
import html
import re

import pytest
from django.utils import timezone

from mailstore import bodies
from mailstore.directory import grants
from mailstore.models import Heartbeat, SweepPass
from popadmin.web import site_parts
from popadmin.web.certificates import certificates
from popadmin.web.site_parts import DiskRoom
from tests.site.page_users import an_admin, signed_in
from tests.site.rows import ACTOR, PASSWORD, a_domain

pytestmark = pytest.mark.django_db
GB = 2**30


def page() -> str:
    an_admin()
    return html.unescape(signed_in("root").get("/parts/").content.decode())


def test_a_domain_admin_has_no_page_of_the_parts():
    a_domain()
    grants.ensure("carla", ["example.org"], actor=ACTOR, password=PASSWORD)
    assert signed_in("carla").get("/parts/").status_code == 404


def test_a_part_that_is_silent_is_told_first():
    now = timezone.now()
    Heartbeat.objects.create(part="pop3", seen_at=now)
    Heartbeat.objects.create(part="lmtp", seen_at=now - datetime.timedelta(minutes=5))
    assert [(str(part.label), part.good) for part in site_parts.read_parts()] == [
        ("POP3", True),
        ("LMTP", False),
        ("Sweep", False),
    ]
    SweepPass.objects.create(started_at=now, ended_at=now, figures={"expired": 400, "settled": 12, "messages": 96})
    assert site_parts.read_parts()[-1].good
    shown = page()
    assert shown.index("LMTP is silent") < shown.index("Running parts") < shown.index("silent since")
    assert "removed 412, deleted 96 for good" in shown


@pytest.mark.parametrize(
    ("beat", "swept", "good"),
    [(0, None, True), (0, 3, True), (5, 3, False), (5, None, False), (0, 27 * 60, False), (None, 27 * 60, False)],
)
def test_a_sweep_is_at_work_when_it_beats_and_its_last_pass_was_lately(beat, swept, good):
    now, minute = timezone.now(), datetime.timedelta(minutes=1)
    if beat is not None:
        Heartbeat.objects.create(part="sweep", seen_at=now - beat * minute)
    if swept is not None:
        SweepPass.objects.create(started_at=now - swept * minute, ended_at=now - swept * minute)
    assert site_parts.read_parts()[-1].good is good


def test_the_disks_are_told_with_their_room(settings, tmp_path):
    settings.MAIL_STORE_URL = f"file:{tmp_path}/mail"
    shown = page()
    assert f"{tmp_path}/mail" in shown
    assert "Disk of the mail: cannot be written" in shown
    bodies.from_url(settings.MAIL_STORE_URL).prepare()
    shown = page()
    assert "cannot be written" not in shown
    assert re.search(r"GB of [\d,.]+\s(GB|TB) free", shown)


@pytest.mark.parametrize(
    ("free", "total", "low"),
    [(9 * GB, 250 * GB, True), (11 * GB, 250 * GB, False), (3 * GB, 40 * GB, False), (GB - 1, 10 * GB, True)],
)
def test_a_disk_is_low_by_a_share_of_it_and_a_large_one_by_an_amount(free, total, low):
    assert DiskRoom(free, total, 1).is_low is low


def test_a_disk_elsewhere_is_never_called_low():
    assert not DiskRoom().is_low


def test_certificates_are_listed_by_their_end_with_what_to_do(settings, tmp_path, pair_ending_in):
    settings.TLS_SNI_DIR = tmp_path
    for days in (-1, 3, 60):
        pair_ending_in(tmp_path / f"in{days}.example", days=days)
    pair_ending_in(tmp_path / "pop.example", days=90, host="*.example")
    pair_ending_in(tmp_path / "two.pop.example", days=95, host="*.example")
    (tmp_path / "broken.example").mkdir()
    (tmp_path / "broken.example" / "fullchain.pem").write_text("nothing")
    found = [(one.name, one.good, one.fits) for one in certificates(())]
    assert found == [
        ("broken.example", False, True),
        ("in-1.example", False, True),
        ("in3.example", False, True),
        ("in60.example", True, True),
        ("pop.example", True, True),
        ("two.pop.example", True, False),
    ]
    shown = page()
    table = shown[shown.index('id="certificates"') :]
    order = ("broken.example", "Cannot be used.", "Has ended.", "Ends soon.", "nothing", "Is for other hosts.")
    places = [table.index(words) for words in order]
    assert places == sorted(places)


def test_the_page_says_why_a_pair_by_name_is_left_out(settings, tmp_path, pair_ending_in):
    settings.TLS_SNI_DIR = tmp_path
    for name in ("good.example", "other.example", "keyless.example"):
        pair_ending_in(tmp_path / name, days=60)
    (tmp_path / "keyless.example" / "privkey.pem").unlink()
    (tmp_path / "other.example" / "privkey.pem").write_bytes((tmp_path / "good.example" / "privkey.pem").read_bytes())
    shown = page()
    assert f"{tmp_path}/keyless.example/privkey.pem is missing" in shown
    assert f"{tmp_path}/other.example/privkey.pem is the key of another certificate" in shown
    assert "good.example/" not in shown
    assert [one.name for one in certificates(()) if one.good] == ["good.example"]
