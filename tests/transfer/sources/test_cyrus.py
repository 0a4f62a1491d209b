"""A folder of Cyrus' spool as a source: what its index says of UIDLs, dates and messages that are gone."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailstore.transfer.sources import PLAIN, Reading, cyrus, cyrus_index, uidl_format
from mailstore.transfer.sources.cyrus_index import BadCyrusIndex, Record
from tests.transfer.sources.cyrus_spool import DELETED, EXPUNGED, UIDVALIDITY, index, message, spool

# Written by Cyrus 3.6.1: UIDs 1, 2 and 5, of which 2 is expunged; by `reconstruct -V` in the form of older versions.
WRITTEN_BY_CYRUS = {
    6: "c-muNU|?i`05%}@0b&~<W`>HfLg{NDBAf5(90pXth|bS?*2tKo>J3&7#K}<10@OR30XN_VVkY03TqaDtOgtdH4fyr40_|nR)XO45$X)=(!xYc",
    10: (
        "c-muNU|?o|04^X-0OAM+gcvK7z6K()`L51kKn09A*eGhUo;5Nisd|Hr0ODjQW&xTvn*lfAHh*Prdi&L-f3`~X-L+dzlrHG$$wrcA@~z2b!ZeqO2V`"
        "yo9&=0H-`#vHcKPfz`ToAM(rt_-^p2cBl4k|Fmle}o77;@3eW|ua^1{s<fge6C5Iw?N`=>DJBRot1;K?<<"
    ),
    12: (
        "c-muNU|?Z@03IN20OAB7W`>HfLg{NDBAf5(90pXth=mQJnV{-tgJ^Z@o?0Zc;DB{Mn?Fc>*0V;&Bvo&)79dVeQoX(aNVCB7;{e>|uk1~4zq<6#R;j"
        "+bcFT#<1wB34FiC@V4!`DUI?I9F;#-r;glRq#56JumJm#0Yzq|QZ?DE-b^8I~hrP~-w=p8u$lU%T{I3hXlObW;wK=-p^n$IFa$o((X)<|Bsc_Z+{r"
        "v;)%m}~zOCVhm5=eCarjb&F0yaE6NZ%X_"
    ),
    17: (
        "c-muNU|?l{06`#L0K^4A%nTKS$z1~x*?d>$FrWfPENl?X1XVv9M5|l()FPP$1}cBI^1{?1t3?JzKb=)U=4Cx=WK2@^1}g*N<RsPWAa}B0(}QFdxA`"
        "l3)7!5u{j*i7@2=f)qI5w|Pc{Q~z+~{w;n$gatSdll-<n(|O#7I4K;|~!v9IL)-Oa~hm(O04@9#S+-Nsl#@5l)p_AxJ5SR5h5dfo#RE<pdWV%o<dLd"
        "btF)z(N}xOpS+!>0wJN0@8>6efLS#9<%HwvPvmC;Q);4gdpVR!9"
    ),
}


def uidls(folder: Path, reading: Reading = PLAIN) -> list[str | None]:
    count, each = cyrus.messages(folder, reading)
    found = [row.uidl for row in each]
    assert len(found) == count
    return found


@pytest.mark.parametrize("version", WRITTEN_BY_CYRUS)
def test_an_index_of_each_version_is_read_as_cyrus_wrote_it(version: int, tmp_path: Path) -> None:
    file = tmp_path / "cyrus.index"
    file.write_bytes(zlib.decompress(base64.b85decode(WRITTEN_BY_CYRUS[version])))
    found = cyrus_index.read(file)
    assert (found.uidvalidity, found.last_uid, found.bare_uids) == (1796134300, 5, False)
    assert found.records == {uid: Record(uid, 1793491200 + uid, 107, deleted=False) for uid in (1, 5)}


@pytest.mark.parametrize("version", [19, 20])
def test_messages_come_by_uid_with_date_octets_and_uidl(version: int, tmp_path: Path) -> None:
    folder = spool(tmp_path, {2: 0, 10: DELETED}, version=version)
    _count, each = cyrus.messages(folder)
    first, second = each
    assert (first.name, first.uidl, first.deleted) == ("2.", f"{UIDVALIDITY}.2", False)
    assert (second.name, second.uidl, second.deleted) == ("10.", f"{UIDVALIDITY}.10", True)
    assert first.arrived_at == datetime(2011, 3, 13, 7, 6, 42, tzinfo=UTC)
    assert b"".join(first.read()) == message(2)
    assert first.identity != second.identity


@pytest.mark.parametrize(
    ("shown", "uidl"),
    [("%u", "2"), ("%v.%u", "1275660208.2"), ("%08Xu%08Xv", "000000024c0907b0"), ("%v-%u", "1275660208-2")],
)
def test_uidls_in_each_form_that_cyrus_knows(shown: str, uidl: str, tmp_path: Path) -> None:
    assert uidls(spool(tmp_path, {2: 0}), Reading(uidl_format.parse(shown))) == [uidl]


def test_a_mailbox_from_before_the_long_uidls_has_shown_bare_uids(tmp_path: Path) -> None:
    folder = spool(tmp_path, {2: 0}, options=0)
    assert uidls(folder) == uidls(folder, Reading(uidl_format.parse("%v.%u"))) == ["2"]


def test_expunged_messages_whose_files_are_still_there_do_not_come_back(tmp_path: Path) -> None:
    folder = spool(tmp_path, {1: EXPUNGED, 2: 0}, last_uid=4)
    (folder / "3.").write_bytes(message(3))  # before version 12, its record is in cyrus.expunge
    (folder / "5.").write_bytes(message(5))  # delivered since the index was copied
    assert uidls(folder) == [f"{UIDVALIDITY}.2"]
    assert sorted(other.what for other in cyrus.not_mail(folder)) == [
        "cyrus.annotations",
        "cyrus.cache",
        "cyrus.header",
        "cyrus.index",
        "expunged",
        "expunged",
        "newer than cyrus.index",
    ]


def test_a_folder_below_has_its_own_index_and_no_uidls(tmp_path: Path) -> None:
    spool(tmp_path, {1: 0})
    spool(tmp_path / "Archive/2011", {1: 0})
    spool(tmp_path / "Archive", {4: 0})
    assert list(cyrus.folders(tmp_path)) == ["Archive", "Archive/2011"]
    _count, (only,) = cyrus.messages(tmp_path, PLAIN, "Archive")
    assert (only.name, only.uidl) == ("Archive/4.", None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too early"),
        (index({1: 0}, version=5), "no known version .* says 5"),
        (index({1: 0, 2: 0})[:-1], "damaged behind the message with the UID 1"),
        (index({2: 0, 1: 0}), "damaged behind the message with the UID 2"),
        (index({9: 0}, last_uid=3), "damaged"),
    ],
)
def test_an_index_that_is_damaged_or_not_known_stops_the_import(data: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "cyrus.index").write_bytes(data)
    with pytest.raises(BadCyrusIndex, match=reason):
        cyrus.messages(tmp_path)
