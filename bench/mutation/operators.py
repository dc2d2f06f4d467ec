"""The faults: cosmic-ray's operators that change behavior, and two of our own, for SQL and for short texts.

Much of the code is SQL in strings, which no mutation tool changes except by spoiling the whole string. SqlToken changes
one token of a query, as an engineer might get it wrong: `<=` for `<`, OR for AND, a join for a left join.
"""

import re
from collections.abc import Iterator
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.operators.operator import Operator
from cosmic_ray.operators.provider import OperatorProvider
from parso.python.tree import Leaf, String

Position = tuple[tuple[int, int], tuple[int, int]]

# Of all pairs of comparisons, the ones that differ at an edge or are the opposite: the others are noticed by any test.
# No bit operators: nearly all `|` are in type annotations.
BUILT_IN = (
    "ReplaceComparisonOperator_Lt_LtE", "ReplaceComparisonOperator_LtE_Lt", "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_GtE_Gt", "ReplaceComparisonOperator_Eq_NotEq", "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Is_IsNot", "ReplaceComparisonOperator_IsNot_Is", "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add", "ReplaceBinaryOperator_Mul_Div", "ReplaceBinaryOperator_Div_Mul",
    "ReplaceBinaryOperator_FloorDiv_Mul", "ReplaceBinaryOperator_Mod_Mul", "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceUnaryOperator_Delete_Not", "AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr",
    "ReplaceOrWithAnd", "ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "NumberReplacer",
)  # fmt: skip

SQL = re.compile(
    r"\b(SELECT|WHERE|FROM|JOIN|CASE|WHEN|COALESCE|FILTER|UNION|BETWEEN|IS NULL|ORDER BY|IN \()|\bf\.\w+ ="
)

SQL_TOKENS = (
    (r"<=", "<"),
    (r">=", ">"),
    (r"(?<= )<(?= )", "<="),
    (r"(?<= )>(?= )", ">="),
    (r"<>", "="),
    (r"(?<= )=(?= )", "<>"),
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT DISTINCT FROM\b", "="),
    (r"\bNOT (?!NULL|DISTINCT)", ""),
    (r"\bLEFT JOIN\b", "JOIN"),
    (r"\bANTI JOIN\b", "SEMI JOIN"),
    (r"\bSEMI JOIN\b", "ANTI JOIN"),
    (r"\bUNION ALL\b", "UNION"),
    (r" DESC\b", ""),
    (r"\bDISTINCT (?!ON)", ""),
    (r"\bmin\(", "max("),
    (r"\bmax\(", "min("),
    (r"\bleast\(", "greatest("),
    (r"\bgreatest\(", "least("),
    (r"(?<=[ (])\+(?= )", "-"),
    (r"(?<=[ (])-(?= )", "+"),
    (r"(?<= )/(?= )", "*"),
    (r"(?<=[ (])\d+(?:\.\d+)?\b", None),  # a number: one more
    (r"'[\w -]+'", None),  # a text: another
)
"""Tokens of SQL, and what an error would make of each."""


class SqlToken(Operator):
    """Change one token of a query."""

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Yield the position of the text once for each of its tokens."""
        for _ in self._faults(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Return the text with one token changed."""
        start, end, new = self._faults(node)[index]
        node.value = node.value[:start] + new + node.value[end:]
        return node

    @staticmethod
    def _faults(node: Any) -> list[tuple[int, int, str]]:
        if not _is_text(node) or not SQL.search(_whole_text(node)):
            return []
        found = []
        for pattern, new in SQL_TOKENS:
            for match in re.finditer(pattern, node.value):
                fault = _other(match[0]) if new is None else new
                found.append((match.start(), match.end(), fault))
        return found

    @classmethod
    def examples(cls) -> tuple[()]:
        """Return no examples: cosmic-ray uses them in its own tests."""
        return ()


class ShortText(Operator):
    """Change a short text that is an element, a key, or compared: a code, a name of a column, a place of service."""

    PARENTS = frozenset(("testlist_comp", "dictorsetmaker", "comparison", "atom", "testlist_star_expr"))

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        """Yield the position of a short text. Words for people (`"11": "Office"`) are left alone."""
        if not isinstance(node, String) or node.parent.type not in self.PARENTS:
            return
        if re.fullmatch(r"""(["'])(?![A-Z][a-z])[\w.-]{1,12}\1""", node.value):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _index: int) -> Any:
        """Return another text."""
        node.value = _other(node.value)
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        """Return no examples: cosmic-ray uses them in its own tests."""
        return ()


def all_operators() -> dict[str, Operator]:
    """Return the operators by name."""
    provider = OperatorProvider()
    return {name: provider[name]() for name in BUILT_IN} | {"SqlToken": SqlToken(), "ShortText": ShortText()}


def count_occurrences(source: str, operator: Operator) -> int:
    """Return in how many ways an operator can change a module."""
    return sum(1 for node in ast_nodes(get_ast(source)) for _ in operator.mutation_positions(node))


def _is_text(node: Any) -> bool:
    if not isinstance(node, Leaf) or node.type not in {"string", "fstring_string"}:
        return False
    statement = node.parent
    while statement is not None and statement.type in {"fstring", "strings"}:
        statement = statement.parent
    return statement is None or statement.type != "simple_stmt"  # a docstring is a statement of its own


def _whole_text(node: Any) -> str:
    text = node.parent if node.type == "fstring_string" else node
    return str(text.get_code(include_prefix=False))


def _other(text: str) -> str:
    if text[0].isdigit():
        return str(int(text) + 1) if text.isdecimal() else str(float(text) + 1)
    return f"{text[:-1]}X{text[-1]}"
