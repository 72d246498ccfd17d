"""Zips that are made to do harm are refused in words, and nothing is ever written."""

import stat
import zipfile
from pathlib import Path

import pytest

from tests.data.photos import class_folders, write_zip
from vision_app.data.images import FileImages, ZipFiles
from vision_app.data.sources import archives
from vision_app.data.sources.archives import list_members
from vision_app.errors import InputError


def test_pictures_are_listed_and_read(tmp_path: Path) -> None:
    files = class_folders(2) | {"__MACOSX/red/._000.png": b"x", "notes.txt": b"x"}
    path = write_zip(tmp_path / "photos.zip", files)
    names = list_members(path)
    assert names == [name for name in files if name.startswith(("red", "green", "blue"))]
    assert FileImages(ZipFiles(path), names)[0].shape == (20, 24, 3)


@pytest.mark.parametrize(
    "name", ["../a.png", "x/../../a.png", "/etc/a.png", "C:\\a.png", "..\\a.png", "x\\..\\..\\a.png"]
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "slip.zip", {"red/a.png": b"x"})
    with zipfile.ZipFile(path, "a") as archive:
        member = zipfile.ZipInfo("placeholder.png")
        member.filename = name
        archive.writestr(member, b"x")
    with pytest.raises(InputError, match="leads out of it"):
        list_members(path)
    assert [item.name for item in tmp_path.iterdir()] == ["slip.zip"]


def test_links_are_no_pictures(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "link.zip", {"red/a.png": b"x"})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("red/passwd.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert list_members(path) == ["red/a.png"]


def test_of_two_members_of_one_name_the_last_counts(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "twice.zip", {"red/a.png": b"first"})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("red/a.png", b"second")
    assert list_members(path) == ["red/a.png"]
    assert ZipFiles(path).read("red/a.png") == b"second"


def test_names_that_differ_only_in_case_stay_apart(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "case.zip", {"Red/a.png": b"1", "red/A.png": b"2"})
    assert [ZipFiles(path).read(name) for name in list_members(path)] == [b"1", b"2"]


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", {f"red/{number}.png": bytes(10**6) for number in range(20)})
    with pytest.raises(InputError, match="times its size"):
        list_members(path)


def test_quotas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "photos.zip", class_folders(3))
    monkeypatch.setattr(archives, "MAX_MEMBERS", 8)
    with pytest.raises(InputError, match="has 9 members; at most 8"):
        list_members(path)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 9)
    monkeypatch.setattr(archives, "MAX_GIGABYTES", 1e-6)
    with pytest.raises(InputError, match="GB are read"):
        list_members(path)


def test_fifty_thousand_members(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(50_000):
            archive.writestr(f"c{number % 7}/{number}.png", b"x")
    assert len(list_members(path)) == 50_000


def test_an_encrypted_one_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "secret.zip", {"red/a.png": b"x"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="encrypted"):
        list_members(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"text" * 100])
def test_no_zip_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(InputError, match="Expected a zip archive"):
        list_members(tmp_path / "a.zip")


def test_a_cut_or_lying_member_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "photos.zip", class_folders(1))
    names = list_members(path)
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        ZipFiles(path).read(names[0])
