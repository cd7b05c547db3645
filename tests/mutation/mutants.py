"""Small changes of a source text, each of which some test should notice: the mutants.

Owns what is changed: operators, constants, conditions, answers, elements of tuples, members of enums, cases of a `match`,
arguments by name, statements. Refuses to know tests. Left alone: types, docstrings, decorators, the words of an error,
and assertions, which state what cannot happen.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SHOWN_CHARACTERS_MAX: Final = 90

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NAMES: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_OPPOSITES: Final = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn)
_WORDS_OF_ERRORS: Final = {"message", "text"}
"""Names that this house gives to the words of an error before it is raised."""
_CLASS_WORDS: Final = {"tag", "tag_field", "omit_defaults"}
"""Arguments of a class statement that are seen on the wire."""

Enums = dict[str, list[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. `scope` is the function it lies in, empty at the level of a module or class; `at` finds it again."""

    file: str
    line: int
    change: str
    scope: str
    at: tuple[int, str, int, int]

    @property
    def module(self) -> str:
        """The module it is in."""
        return self.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    def __str__(self) -> str:
        """As a survivor is told."""
        return f"{self.file}:{self.line}: {self.change}"


def enums(folders: list[str]) -> Enums:
    """The members of every enum, by its name."""
    found: Enums = {}
    for path in (path for folder in folders for path in sorted((ROOT / folder).glob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Enum") for base in node.bases):
                found[node.name] = [
                    member.targets[0].id
                    for member in node.body
                    if isinstance(member, ast.Assign) and isinstance(member.targets[0], ast.Name)
                ]
    return found


def mutants_of(file: str, known: Enums, source: str | None = None) -> list[Mutant]:
    """Every mutant of a file, in the order of its text. `file` is relative to the root."""
    text = (ROOT / file).read_text(encoding="utf-8") if source is None else source
    tree = ast.parse(text)
    changer = _Changer(tree, known)
    made = []
    for index, node in enumerate(ast.walk(tree)):
        for field, place, child in _children(node):
            for variant, change in enumerate(changer.changes(node, field, child)):
                made.append(
                    Mutant(
                        file,
                        getattr(child, "lineno", getattr(node, "lineno", 1)),
                        f"{_shown(child)} → {_shown(change)}",
                        changer.scope(node, field, child),
                        (index, field, place, variant),
                    )
                )
    return sorted(made, key=lambda mutant: (mutant.line, mutant.at))


def mutants_in(folder: str, known: Enums) -> list[Mutant]:
    """Every mutant of a package, in a random order that is always the same: any beginning of it is a sample."""
    files = [str(path.relative_to(ROOT)) for path in sorted((ROOT / folder).glob("*.py"))]
    made = [mutant for file in files for mutant in mutants_of(file, known)]
    random.Random(folder).shuffle(made)
    return made


def mutated(mutant: Mutant, known: Enums, source: str | None = None) -> ast.Module:
    """The tree of its file with the change in it."""
    tree = ast.parse((ROOT / mutant.file).read_text(encoding="utf-8") if source is None else source)
    changer = _Changer(tree, known)
    index, field, place, variant = mutant.at
    parent = next(node for number, node in enumerate(ast.walk(tree)) if number == index)
    value = getattr(parent, field)
    child = value if place < 0 else value[place]
    change = changer.changes(parent, field, child)[variant]
    if place < 0:
        setattr(parent, field, change)
    elif change is None:
        del value[place]
    else:
        value[place] = change
    return ast.fix_missing_locations(tree)


def _children(node: ast.AST) -> Iterator[tuple[str, int, ast.AST]]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield field, -1, value
        elif isinstance(value, list):
            yield from ((field, place, child) for place, child in enumerate(value) if isinstance(child, ast.AST))


def _shown(node: ast.AST | None) -> str:
    if node is None:
        return "nothing"
    if isinstance(node, ast.cmpop | ast.operator | ast.boolop | ast.unaryop):
        return type(node).__name__
    words = " ".join(ast.unparse(node).split())
    return words if len(words) <= SHOWN_CHARACTERS_MAX else words[: SHOWN_CHARACTERS_MAX - 1] + "…"


class _Changer:
    """Knows where in its tree a node stands, and what it may be changed into."""

    def __init__(self, tree: ast.Module, known: Enums) -> None:
        self._enums = known
        self._scopes: dict[ast.AST, str] = {}
        self._functions: dict[ast.AST, Function] = {}
        self._left_alone: set[ast.AST] = set()
        self._docstrings = {
            node.body[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | Function)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        self._visit(tree, "", None)

    def scope(self, parent: ast.AST, field: str, child: ast.AST) -> str:
        """The qualified name of the outermost function around a change, empty outside of any."""
        if isinstance(parent, Function) and field != "body":
            return ""  # its defaults are evaluated where it is defined
        return self._scopes.get(parent, "") or (self._scopes.get(child, "") if isinstance(parent, Function) else "")

    def _visit(self, node: ast.AST, path: str, function: Function | None) -> None:
        for field, _, child in _children(node):
            if self._is_left_alone(node, field, child):
                self._left_alone.update(ast.walk(child))
                continue
            if function is not None:
                self._functions[child] = function
            if isinstance(node, Function) and field == "body" and not self._scopes.get(node):
                self._scopes[child] = path
            elif self._scopes.get(node):
                self._scopes[child] = self._scopes[node]
            inner, inside = path, function
            if isinstance(child, ast.ClassDef | Function):
                inner = f"{path}.{child.name}".lstrip(".") if not self._scopes.get(child) else path
                inside = child if isinstance(child, Function) else None
            self._visit(child, inner, inside)

    def _is_left_alone(self, parent: ast.AST, field: str, child: ast.AST) -> bool:
        if field in {"annotation", "returns", "decorator_list", "bases", "type_comment"}:
            return True
        if isinstance(child, ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom) or child in self._docstrings:
            return True
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            return True  # the words under a constant
        if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name):
            value = child.value
            alias = (isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr)) or (
                isinstance(value, ast.Subscript) and ast.unparse(value.value) == "Callable"
            )
            return child.targets[0].id in _WORDS_OF_ERRORS or (alias and child.col_offset == 0)
        if isinstance(child, ast.Call) and ast.unparse(child.func) in {"NewType", "TypeVar"}:
            return True
        if isinstance(child, ast.If) and "__name__" in ast.unparse(child.test):
            return True
        if isinstance(child, ast.match_case) and ast.unparse(child.body[0]).startswith("assert_never("):
            return True
        return isinstance(parent, ast.ClassDef) and isinstance(child, ast.keyword) and child.arg not in _CLASS_WORDS

    def changes(self, parent: ast.AST, field: str, child: ast.AST) -> list[ast.AST | None]:
        """What `child` may become; None: it goes."""
        shared = isinstance(child, ast.cmpop | ast.operator | ast.boolop | ast.unaryop)  # one object for a whole tree
        if parent in self._left_alone or (child in self._left_alone and not shared):
            return []
        made: list[ast.AST | None] = []
        if isinstance(child, ast.expr):
            made += self._expression(parent, field, child)
            made += _condition(parent, field, child)
        elif isinstance(child, ast.cmpop):
            made.append(_COMPARISONS[type(child)]())
        elif isinstance(child, ast.operator):
            other = _ARITHMETIC.get(type(child))
            made += [other()] if other else []
        elif isinstance(child, ast.stmt):
            made += self._statement(child)
        elif isinstance(child, ast.match_case) and isinstance(parent, ast.Match) and len(parent.cases) > 1:
            made.append(None)
        return made

    def _expression(self, parent: ast.AST, field: str, child: ast.expr) -> Iterator[ast.AST]:
        match child:
            case ast.Constant():
                yield from _constant(parent, field, child)
            case ast.BoolOp():
                yield ast.BoolOp(ast.Or() if isinstance(child.op, ast.And) else ast.And(), child.values)
                for place in range(len(child.values)):
                    kept = [*child.values[:place], *child.values[place + 1 :]]
                    yield kept[0] if len(kept) == 1 else ast.BoolOp(child.op, kept)
            case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
                yield operand
            case ast.Tuple(ctx=ast.Load()) if not isinstance(parent, ast.Subscript):
                yield from (ast.Tuple(kept, ast.Load()) for kept in _one_less(child.elts))
            case ast.Set() if len(child.elts) > 1:
                yield from (ast.Set(kept) for kept in _one_less(child.elts))
            case ast.List(ctx=ast.Load()):
                yield from (ast.List(kept, ast.Load()) for kept in _one_less(child.elts))
            case ast.Dict():
                for place in range(len(child.keys)):
                    keys, values = list(child.keys), list(child.values)
                    del keys[place], values[place]
                    yield ast.Dict(keys, values)
            case ast.Attribute(value=ast.Name(id=enum), attr=member) if member in self._enums.get(enum, ()):
                members = self._enums[enum]
                other = members[(members.index(member) + 1) % len(members)]
                if other != member:
                    yield ast.Attribute(ast.Name(enum, ast.Load()), other, ast.Load())
            case ast.Call():
                for place, word in enumerate(child.keywords):
                    if word.arg is not None:
                        yield ast.Call(child.func, child.args, [*child.keywords[:place], *child.keywords[place + 1 :]])
            case ast.Name(id=name, ctx=ast.Load()) if name in _NAMES and field == "func":
                yield ast.Name(_NAMES[name], ast.Load())

    def _statement(self, child: ast.stmt) -> Iterator[ast.AST]:
        match child:
            case ast.Return(value=value) if value is not None:
                function = self._functions.get(child)
                if function is not None and function.returns is not None and ast.unparse(function.returns) == "bool":
                    said = value.value if isinstance(value, ast.Constant) else None
                    yield from (ast.Return(ast.Constant(answer)) for answer in (True, False) if answer is not said)
                elif not (isinstance(value, ast.Constant) and value.value is None):
                    yield ast.Return(ast.Constant(None))
            case ast.Expr() | ast.AugAssign() | ast.Delete() | ast.Continue() | ast.Break() | ast.Raise():
                yield ast.Pass()
            case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
                yield ast.Pass()


def _one_less(elements: list[ast.expr]) -> Iterator[list[ast.expr]]:
    for place in range(len(elements)):
        yield [*elements[:place], *elements[place + 1 :]]


def _condition(parent: ast.AST, field: str, child: ast.expr) -> Iterator[ast.AST]:
    """The opposite of a condition, where no other change says the same."""
    asked = field == "test" and isinstance(parent, ast.If | ast.While | ast.IfExp)
    if not asked and not (field == "ifs" and isinstance(parent, ast.comprehension)) and field != "guard":
        return
    if isinstance(child, ast.UnaryOp) and isinstance(child.op, ast.Not):
        return
    if isinstance(child, ast.Compare) and len(child.ops) == 1 and isinstance(child.ops[0], _OPPOSITES):
        return
    yield ast.UnaryOp(ast.Not(), child)


def _constant(parent: ast.AST, field: str, child: ast.Constant) -> Iterator[ast.AST]:
    value = child.value
    if isinstance(parent, ast.Return) and isinstance(value, bool):
        return  # the statement is changed
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield from (ast.Constant(value + 1), ast.Constant(value - 1))
    elif isinstance(value, str):
        yield ast.Constant("" if value else "X")
    elif isinstance(value, bytes):
        yield ast.Constant(b"" if value else b"X")
