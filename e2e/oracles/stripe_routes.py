"""Which parameters Stripe takes at which address, read from the vendor's own library.

Every method of its service classes calls `self._request("post", "/v1/…/{id}/…", …)` and annotates its parameters
with a TypedDict that was generated from Stripe's specification. That is a route table.
"""

import ast
import importlib
import re
from pathlib import Path

import stripe


def table():
    """[(method, pattern of the path, module and name of the TypedDict)]"""
    routes = []
    for file in sorted(Path(stripe.__file__).parent.rglob("*_service.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        homes = _homes_of_params(tree)
        for function in _methods(tree):
            routes.extend(_route(function, homes))
    # The literal path comes before the one with a blank: /search before /{id}.
    return sorted(routes, key=lambda route: route[1].count("[^/]+"))


def find(routes, method, path):
    for verb, pattern, home in routes:
        if verb == method.lower() and re.fullmatch(pattern, path):
            return load(home)
    return None


def load(home):
    module, name = home
    return getattr(importlib.import_module(module), name)


def _homes_of_params(tree):
    homes = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stripe.params"):
            for alias in node.names:
                homes[alias.asname or alias.name] = (node.module, alias.name)
    return homes


def _methods(tree):
    for klass in tree.body:
        if isinstance(klass, ast.ClassDef):
            yield from (node for node in klass.body if isinstance(node, ast.FunctionDef))


def _route(function, homes):
    names = [
        word
        for argument in function.args.args
        if argument.arg == "params" and argument.annotation is not None
        for word in re.findall(r"\w+", ast.unparse(argument.annotation))
    ]
    home = next((homes[name] for name in names if name in homes), None)
    if home is None:
        return
    for node in ast.walk(function):
        is_request = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "_request"
        if is_request and len(node.args) >= 2:
            verb, path = node.args[0].value, _literal(node.args[1])
            yield verb, re.sub(r"\{\w+\}", "[^/]+", path), home


def _literal(node):
    """The text itself, or the text that `.format()` is called on."""
    if isinstance(node, ast.Call):
        node = node.func.value
    return node.value
