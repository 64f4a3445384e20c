import json

import numpy as np
import pytest

from semblance.core.rng import stream
from semblance.core.schema import Column
from semblance.modalities.table.codes import Categories, Numbers
from semblance.modalities.table.digits import FLAT, Digits, chapter


def categories(size: int, *, name: str = "v") -> Categories:
    return Categories(tuple(f"{name}{i}" for i in range(size)), 0)


def numbers(size: int) -> Numbers:
    values = stream(0).permutation(np.arange(float(size)))
    column = Column("x", "numeric", decimals=1)
    return Numbers.fit(np.sort(values), np.arange(size), column, rare=1, tokens=size, bins=4)


def spelt(codes: Categories | Numbers, *, kind: str = "categorical") -> Digits:
    share = 1 / np.arange(1, codes.size + 1)
    return Digits.of([codes], [Column("c", kind)], [share / share.sum()])  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [1, 2, FLAT])
def test_a_small_column_is_its_own_digit(size: int) -> None:
    digits = spelt(categories(size))
    assert digits.sizes.tolist() == [size]
    assert digits.parents == {}


@pytest.mark.parametrize("size", [FLAT + 1, 5_000, 100_000])
def test_every_code_has_a_spelling_of_its_own_and_few_values_a_digit(size: int) -> None:
    digits, every = spelt(categories(size)), np.arange(size)[:, None]
    assert np.array_equal(digits.read(digits.spell(every)), every)
    assert digits.sizes.max() <= FLAT * 3
    assert digits.sizes.sum() < 6 * size ** (1 / len(digits.sizes)) + 6


def test_what_is_not_known_has_no_digits() -> None:
    digits = spelt(categories(500))
    assert (digits.spell(np.array([[-1], [3]]))[0] == -1).all()


def test_frequent_categories_share_the_first_group() -> None:
    digits = spelt(categories(900))
    assert (digits.paths[0][:30, 0] == 0).all()


def test_numbers_are_coarse_then_fine() -> None:
    codes = numbers(400)
    path = spelt(codes, kind="numeric").paths[0]
    order = np.argsort(codes.middles)
    assert (np.diff(path[order, 0]) >= 0).all()


def test_codes_are_spelt_by_chapter_category_and_code() -> None:
    tokens = [f"{base}.{sub}" for base in (250, 251, 410, 786) for sub in range(40)] + ["V45", "E885", None]
    codes = Categories(tuple(tokens), 0)
    digits = spelt(codes, kind="code")
    path = digits.paths[0]
    assert path.shape[1] == 3
    assert len({tuple(p) for p in path.tolist()}) == len(tokens)
    assert len(set(path[:80, 0].tolist())) == 1  # 250 and 251 are of one chapter
    assert len({tuple(p[:2]) for p in path[:80].tolist()}) == 2
    assert path[0, 0] != path[80, 0]


@pytest.mark.parametrize(
    ("code", "wanted"),
    [("1", "1"), ("139.8", "1"), ("140", "140"), ("250.83", "240"), ("999", "800"), ("V45", "V"), ("I50.1", "I")],
)
def test_chapters(code: str, wanted: str) -> None:
    assert chapter(code) == wanted


def test_digits_that_spell_nothing_are_read_as_a_code() -> None:
    digits = spelt(categories(131))
    anything = np.stack(np.meshgrid(*map(np.arange, digits.sizes)), -1).reshape(-1, len(digits.sizes))
    codes = digits.read(anything)
    assert codes.min() >= 0 and codes.max() < 131


def test_there_and_back_as_json() -> None:
    digits = Digits((spelt(categories(7)).paths[0], spelt(categories(300)).paths[0]))
    again = Digits.from_json(json.loads(json.dumps(digits.to_json())))
    assert all(np.array_equal(a, b) for a, b in zip(digits.paths, again.paths, strict=True))


def test_fine_digits_follow_the_coarse_ones() -> None:
    digits = Digits((spelt(categories(7)).paths[0], spelt(categories(300)).paths[0], spelt(categories(3)).paths[0]))
    assert digits.parents == {2: (1,)}
    assert [list(digits.of_column(j)) for j in range(3)] == [[0], [1, 2], [3]]


def test_an_impossible_last_digit_stays_within_its_category() -> None:
    tokens = [
        *(f"A0{i}.{j}" for i in range(10) for j in range(9)),
        "B01.0",
        *(f"C0{i}.{j}" for i in range(9) for j in range(9)),
    ]
    codes = Categories(tuple(tokens), 0)
    digits = spelt(codes, kind="code")
    lonely = digits.paths[0][tokens.index("B01.0")].copy()
    lonely[2] = 5
    assert tokens[int(digits.read(lonely[None])[0, 0])] == "B01.0"
