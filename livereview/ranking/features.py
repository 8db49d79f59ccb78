"""Texts as numbers: words and pairs of words of title and abstract, of the title alone, and what
words share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from livereview.errors import Refused

Array = NDArray[np.float64]
Matrix = Any  # scipy's csr_matrix or numpy's float32 array, a row per record

# characters read of a record: an abstract of 440,000 is a file gone wrong, its head tells enough
LONGEST = 20_000
LATENT = 100  # dimensions
RARE = 2  # a term of fewer records tells nothing of the others
COMMON = 0.95  # a term of more than this share of records tells nothing either; as in ELAS u4
FEW = 20  # records: of so few every term is kept
PAIRS: dict[str, Any] = {"ngram_range": (1, 2)}
# what words share is drowned by "the" and "of"
PLAIN: dict[str, Any] = {"stop_words": "english", "max_df": 0.5}
# sees through word endings
LETTERS: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (4, 4), "max_df": 0.9}
RECIPE = (
    # raise its number with any other change
    f"words-3 {LONGEST} {LATENT} {FEW} {COMMON} {PAIRS} {PLAIN} {LETTERS}"
)


@dataclass(frozen=True, slots=True)
class Text:
    """What is read of a record; either part may be empty."""

    record_id: str
    title: str
    abstract: str


@dataclass(frozen=True, slots=True)
class Features:
    """Of every record, once, a row each of length 1.

    Attributes:
        views: "text", "title": words and pairs of words (sparse); "words": single words but common
            ones (sparse); "letters": four letters in a row within a word (sparse); "latent":
            "words" in few dimensions (dense).
        protocol: The same of the protocol's words, one row a view, zeros without any.
        terms: The columns of the sparse views.
        loadings: Latent dimensions x terms of "words": what makes an explanation of "latent"
            possible.
        version: Hash of the recipe, the ids, the texts and the protocol.
    """

    ids: tuple[str, ...]
    views: dict[str, Matrix]
    protocol: dict[str, Matrix]
    terms: dict[str, tuple[str, ...]]
    loadings: NDArray[np.float32]
    version: str


def build(texts: Sequence[Text], protocol: str = "", rare: int = RARE) -> Features:
    """Features of these records; the same texts in the same order give the same numbers.

    protocol: question, criteria and highlight terms, in one text; rare: drop terms of fewer
    records. Raises Refused for an id that comes twice.
    """
    ids = tuple(text.record_id for text in texts)
    if (twice := repeated(ids)) is not None:
        raise Refused(f"record id {twice!r} comes twice; give each record an id of its own")
    full = [f"{text.title} {text.abstract}"[:LONGEST] for text in texts]
    found = {
        "text": _words(full, protocol, rare, PAIRS | {"max_df": COMMON}),
        "title": _words([text.title[:LONGEST] for text in texts], protocol, rare, PAIRS),
        "words": _words(full, protocol, rare, PLAIN),
        "letters": _words(full, protocol, rare, LETTERS),
    }
    views = {name: view for name, (_, view, _) in found.items()}
    asked = {name: row for name, (_, _, row) in found.items()}
    views["latent"], asked["latent"], loadings = _latent(views["words"], asked["words"])
    terms = {name: one for name, (one, _, _) in found.items()}
    return Features(
        ids, views, asked, terms, loadings, _hash(ids, texts, f"{RECIPE} {rare} {protocol}")
    )


def repeated(ids: Iterable[str]) -> str | None:
    """The first id that has come before."""
    seen = set[str]()
    for one in ids:
        if one in seen:
            return one
        seen.add(one)
    return None


def _words(
    texts: Sequence[str], protocol: str, rare: int, options: dict[str, Any]
) -> tuple[tuple[str, ...], Matrix, Matrix]:
    """Terms, their TF-IDF in each text (1 + log of the count, rows of length 1), and in the
    protocol.
    """
    least = rare if len(texts) >= FEW else 1
    reader = TfidfVectorizer(sublinear_tf=True, min_df=least, dtype=np.float32, **options)
    try:
        matrix = reader.fit_transform(texts)
    except ValueError:  # not one word in all of them
        return (
            (),
            csr_matrix((len(texts), 1), dtype=np.float32),
            csr_matrix((1, 1), dtype=np.float32),
        )
    return tuple(reader.get_feature_names_out()), matrix, reader.transform([protocol[:LONGEST]])


def _latent(
    words: Matrix, asked: Matrix
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Latent semantic features of texts and protocol, and the loadings.

    Deerwester and others, J Am Soc Inf Sci 1990;41:391-407.
    """
    size = min(LATENT, min(words.shape) - 1)
    if size < 1 or not words.nnz:
        shapes = (words.shape[0], 1), (1, 1), (1, words.shape[1])
        return (
            np.zeros(shapes[0], np.float32),
            np.zeros(shapes[1], np.float32),
            np.zeros(shapes[2], np.float32),
        )
    svd = TruncatedSVD(size, n_iter=4, random_state=0)
    found = normalize(svd.fit_transform(words)).astype(np.float32)
    return (
        found,
        normalize(svd.transform(asked)).astype(np.float32),
        svd.components_.astype(np.float32),
    )


def _hash(ids: Sequence[str], texts: Sequence[Text], head: str) -> str:
    digest = hashlib.sha256(head.encode("utf-8", "surrogatepass"))
    for one, text in zip(ids, texts, strict=True):
        digest.update(
            f"\0{one}\0{text.title[:LONGEST]}\0{text.abstract[:LONGEST]}".encode(
                "utf-8", "surrogatepass"
            )
        )
    return digest.hexdigest()[:16]
