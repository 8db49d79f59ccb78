"""Files say what they said, whichever program wrote them; a guess is told of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview.decoding import decode, note

FRENCH = "TI  - L’été à l’hôpital : « évaluation » de l’année\nAU  - Lévesque, Ç\n"
DANISH = "TI  - Børn på Åland og Ærø\nAU  - Brün, A\n"
POLISH = "TI  - Opieka zastępcza nad dziećmi w Łodzi i żłobki\n"
CZECH = "TI  - Ochrana dětí a péče o žáky v České republice\nAU  - Dvořák, Š\n"
RUSSIAN = "TI  - Систематический обзор защиты детей\nAU  - Иванов, А\n"
JAPANESE = "TI  - 児童保護サービスの系統的レビュー\nAU  - 山田, 太郎\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *[(text, name) for text in (FRENCH, DANISH) for name in ("cp1252", "mac_roman")],
        (POLISH, "cp1250"),
        (CZECH, "cp1250"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        ("TI  - 儿童保护服务的系统综述\n", "gb18030"),
        ("TI  - 兒童保護服務的系統性回顧\n", "big5"),
        ("TI  - 아동 보호 서비스의 체계적 문헌고찰\n", "euc_kr"),
        ("TI  - Προστασία παιδιών και οικογένειας\n", "cp1253"),
    ],
)
def test_an_unmarked_encoding_is_guessed_and_told_of(text: str, encoding: str) -> None:
    answer = decode(text.encode(encoding))
    assert answer.text == text
    assert answer.note is not None and "guess" in answer.note
    assert note(text.encode(encoding)) == answer.note


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\x00")))
def test_utf8_is_never_guessed_at(text: str) -> None:
    body = text.encode()
    assert decode(body) == decode(b"\xef\xbb\xbf" + body)
    if not text.startswith("ï»¿"):
        assert (decode(body).text, note(body)) == (text, None)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_seen(encoding: str) -> None:
    assert decode(DANISH.encode(encoding)).text == DANISH
    assert note(DANISH.encode(encoding)) is None


def test_a_merged_file_keeps_its_lines_of_utf8() -> None:
    answer = decode("AU  - Müller\n".encode() + "AU  - Brün\n".encode("cp1252"))
    assert answer.text == "AU  - Müller\nAU  - Brün\n"
    assert answer.note is not None and answer.note.startswith("a line is not in UTF-8")


def test_what_was_encoded_twice_is_undone() -> None:
    twice = "\ufeffTI  - Café\n".encode().decode("cp1252").encode()
    assert decode(twice).text == "TI  - Café\n"
    assert decode("ï»¿TI  - Plain\n".encode()) == decode(b"TI  - Plain\n")


@given(st.binary(max_size=300))
def test_no_bytes_break_it(body: bytes) -> None:
    assert isinstance(decode(body).text, str)
