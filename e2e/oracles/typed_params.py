"""Holds a decoded form against a TypedDict of the vendor's library."""

import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union

import stripe
from stripe._request_options import RequestOptions
from typing_extensions import get_type_hints, is_typeddict

# What the library's TypedDicts inherit for its own use; none of it is ever sent as a parameter.
NOT_SENT = frozenset(RequestOptions.__annotations__)
# Names that the generated files use in annotations and import only for type checkers.
NAMES = {"Mapping": Mapping, "StripeContext": Any}


def faults(pairs, typed_dict):
    """Every way in which these parameters are not what Stripe takes, as sentences."""
    return list(_object(nested(pairs), typed_dict, ""))


def nested(pairs):
    """`[["metadata[a]", "1"], ["expand[]", "x"]]` as `{"metadata": {"a": "1"}, "expand": {"0": "x"}}`."""
    tree = {}
    for name, value in pairs:
        head, *keys = re.split(r"\]?\[", name.removesuffix("]"))
        here, last = tree, head
        for key in keys:
            here = here.setdefault(last, {})
            last = key or str(len(here))
        here[last] = value
    return tree


def _object(value, typed_dict, at):
    if not isinstance(value, dict):
        yield f"{at}: expected an object, got {value!r}"
        return
    hints = _hints(typed_dict)
    for name, inner in value.items():
        if name not in hints:
            yield f"{_join(at, name)}: Stripe knows no such parameter"
        else:
            yield from _value(inner, hints[name], _join(at, name))
    for name in typed_dict.__required_keys__ - NOT_SENT:
        if name not in value:
            yield f"{_join(at, name)}: is required"


def _hints(typed_dict):
    hints = get_type_hints(typed_dict, localns=NAMES)
    return {name.rstrip("_"): hint for name, hint in hints.items() if name not in NOT_SENT}


def _value(value, hint, at):
    if is_typeddict(hint):
        return list(_object(value, hint, at))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _union(value, arguments, at)
    if origin is Literal:
        return [] if value in arguments else [f"{at}: {value!r} is not one of {', '.join(map(repr, arguments))}"]
    if origin is list:
        return _list(value, arguments[0], at)
    if origin is dict:
        return _dict(value, arguments[1], at)
    return _plain(value, hint, at)


def _union(value, alternatives, at):
    # Generated as `Literal["a", "b"] | str`, so that old clients survive new values. We pin a version: only the
    # values it lists count. A lone `Literal[""] | str` is something else: an empty text that clears a field.
    literals = [hint for hint in alternatives if typing.get_origin(hint) is Literal]
    is_open_enum = any(set(typing.get_args(hint)) != {""} for hint in literals)
    if is_open_enum and str in alternatives:
        alternatives = [hint for hint in alternatives if hint is not str]
    verdicts = [_value(value, hint, at) for hint in alternatives if not _is_class_of_the_library(hint)]
    return min(verdicts, key=len)


def _is_class_of_the_library(hint):
    """`Dict[str, str] | UntypedStripeObject[str]`: the second is the first, as Python callers hold it."""
    origin = typing.get_origin(hint) or hint
    return isinstance(origin, type) and issubclass(origin, stripe.StripeObject)


def _list(value, item, at):
    if not isinstance(value, dict) or set(value) != {str(index) for index in range(len(value))}:
        return [f"{at}: expected a list, got {value!r}"]
    return [fault for index, inner in value.items() for fault in _value(inner, item, _join(at, index))]


def _dict(value, item, at):
    if not isinstance(value, dict):
        return [f"{at}: expected an object, got {value!r}"]
    return [fault for name, inner in value.items() for fault in _value(inner, item, _join(at, name))]


# A form carries text; this is how each type is written in it.
SPELLING = {int: r"-?(0|[1-9]\d*)", float: r"-?\d+(\.\d+)?", bool: r"true|false", str: r"(?s).*"}


def _plain(value, hint, at):
    if hint is Any:
        return []
    if hint not in SPELLING:
        return [f"{at}: this check does not know the type {hint!r}"]
    if not isinstance(value, str) or not re.fullmatch(SPELLING[hint], value):
        return [f"{at}: expected {hint.__name__}, got {value!r}"]
    return []


def _join(at, name):
    return f"{at}[{name}]" if at else name
