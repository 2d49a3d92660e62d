"""The rules of the API: who may call what, how it is read and answered, and its description."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, g, request
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema
from werkzeug.wrappers import Response

from survey.access import allow
from survey.db import session
from survey.errors import NotAllowed, Refused, marked
from survey.forms.api import Problem, Wrong
from survey.limits import count_unknown_link
from survey.services import tokens
from survey.site import site

PREFIX = "/api/v1"
BLUEPRINT = "api"
JSON, PROBLEM, PDF = "application/json", "application/problem+json", "application/pdf"
COMPONENTS = "#/components/schemas/{model}"
Model = TypeVar("Model", bound=BaseModel)
# What each call may be answered beside what it asked for.
ALWAYS = {
    401: "No token, or one that opens nothing",
    403: "Not with this token",
    429: "Too many tokens that open nothing",
    503: "The server cannot do it just now",
}
WITH_PATH = {404: "Not there, or not this person's"}
WITH_QUERY = {422: "Something in the address does not fit"}
WITH_BODY = {
    400: "No JSON",
    409: "Things stand so that it cannot be done",
    413: "Too much",
    415: "Not said to be JSON",
    422: "Something does not fit",
}


# Where pages say something else.
SENTENCES = {
    405: "There is no such operation here; the header Allow names those that are.",
    413: "Send less at once: at most 128 kB.",
}


class TokenNeeded(Refused):
    """No token, or none that opens anything."""

    status = 401
    message = marked(
        "Show a token that has not ended in the header Authorization, after the word Bearer."
    )


class ScopeNeeded(NotAllowed):
    """The token, or its person, may do something else."""

    message = marked("This takes a token with the scope %(scope)s, of somebody whose role it is.")


class NotJson(Refused):
    """A body of another kind."""

    status = 415
    message = marked("Send JSON, with the header Content-Type: application/json.")


class Malformed(Refused):
    """A body that only says that it is JSON."""

    status = 400
    message = marked("This is no JSON.")


class DoesNotFit(Refused):
    """Fields that are missing, too many, or not as they should be."""

    status = 422
    message = marked("Some fields do not fit.")

    def __init__(self, error: ValidationError) -> None:
        super().__init__()
        self.wrong = [
            Wrong(place=".".join(map(str, each["loc"])), sentence=each["msg"])
            for each in error.errors(include_url=False, include_input=False, include_context=False)
        ]


@dataclass(frozen=True)
class Operation:
    """What one may ask of the API, and what is answered; no scope: anybody may."""

    summary: str
    answer: type[BaseModel] | str
    scope: str = ""
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: int = 200
    # What else it may be answered, and why.
    refused: tuple[tuple[int, str], ...] = ()


def operation(asked: Operation) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Make a view an operation: it gets `query` and `body` as models, and returns one."""

    def make(view: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(view)
        def call(**arguments: Any) -> Response:
            if asked.scope:
                _enter(asked.scope)
            if asked.query:
                arguments["query"] = _read_query(asked.query)
            if asked.body:
                arguments["body"] = _read_body(asked.body)
            return _answer(view(**arguments), asked.status)

        call.operation = asked  # type: ignore[attr-defined]
        # Cookies open nothing here: `_enter` looks for a token.
        return allow("anybody")(call)

    return make


def _enter(scope: str) -> None:
    """Let the token's person in, whoever else is signed in. Raises TokenNeeded, ScopeNeeded."""
    g.person = None
    kind, _, shown = request.headers.get("Authorization", "").partition(" ")
    token = None
    if kind.lower() == "bearer":
        token = tokens.find(session(), site().keyring, shown.strip(), site().now())
        if token is None:
            count_unknown_link()
    if token is None:
        raise TokenNeeded
    if scope not in token.scopes.split() or not tokens.may(token.person, scope):
        raise ScopeNeeded(scope=scope)
    g.person = token.person


def _read_query(model: type[Model]) -> Model:
    try:
        return model.model_validate(dict(request.args.items()))
    except ValidationError as error:
        raise DoesNotFit(error) from None


def _read_body(model: type[Model]) -> Model:
    if request.mimetype != JSON:
        raise NotJson
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        if any(each["type"] == "json_invalid" for each in error.errors(include_url=False)):
            raise Malformed from None
        raise DoesNotFit(error) from None


def _answer(value: BaseModel | Response | str, status: int) -> Response:
    if isinstance(value, Response):
        return value
    text = value.model_dump_json() if isinstance(value, BaseModel) else value
    return Response(text, status, mimetype=JSON)


def is_asked() -> bool:
    """Say whether the present request is one to the API."""
    return request.path.startswith("/api/")


def problem(sentence: str, status: int, error: BaseException | None = None) -> Response:
    """Return a refusal as programs read it (RFC 9457)."""
    wrong = list(getattr(error, "wrong", ()))
    wrong += [
        Wrong(place=each.column, sentence=str(each.reason)) for each in getattr(error, "faults", ())
    ]
    title = Response(status=status).status.partition(" ")[2].title()
    detail = SENTENCES.get(status, sentence)
    told = Problem(title=title, status=status, detail=detail, wrong=wrong)
    answer = Response(told.model_dump_json(), status, mimetype=PROBLEM)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def describe(app: Flask, version: str) -> dict[str, Any]:
    """Return the description of all operations, as OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    models: set[type[BaseModel]] = {Problem}
    for rule in app.url_map.iter_rules():
        asked = getattr(app.view_functions[rule.endpoint], "operation", None)
        if asked is None:
            continue
        models |= {
            each
            for each in (asked.answer, asked.body)
            if isinstance(each, type) and issubclass(each, BaseModel)
        }
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        [method] = set(rule.methods or ()) - {"HEAD", "OPTIONS"}
        name = rule.endpoint.removeprefix(f"{BLUEPRINT}.")
        said = _describe(name, asked, sorted(rule.arguments))
        paths.setdefault(path, {})[method.lower()] = said
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in ordered], ref_template=COMPONENTS
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Preview360",
            "version": version,
            "description": "People, programmes, rounds and previews. There is nothing about who "
            "was asked or has answered, and nothing of what raters wrote but the preview.",
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe(name: str, asked: Operation, arguments: list[str]) -> dict[str, Any]:
    refused = dict(asked.refused)
    refused |= ALWAYS if asked.scope else {}
    refused |= WITH_PATH if arguments else {}
    refused |= WITH_QUERY if asked.query else {}
    refused |= WITH_BODY if asked.body else {}
    said: dict[str, Any] = {
        "operationId": name,
        "summary": asked.summary,
        "parameters": [
            {
                "name": each,
                "in": "path",
                "required": True,
                "schema": {"type": "string", "format": "uuid"},
            }
            for each in arguments
        ],
        "responses": {str(asked.status): _describe_answer(asked)}
        | {
            str(status): {"description": why, "content": {PROBLEM: {"schema": _ref(Problem)}}}
            for status, why in sorted(refused.items())
        },
    }
    if asked.scope:
        said["description"] = f"Takes a token with the scope `{asked.scope}`."
        said["security"] = [{"token": []}]
    if asked.query:
        known = asked.query.model_json_schema()
        said["parameters"] += [
            {"name": field, "in": "query", "schema": schema}
            for field, schema in known["properties"].items()
        ]
    if asked.body:
        content = {JSON: {"schema": _ref(asked.body)}}
        said["requestBody"] = {"required": True, "content": content}
    return said


def _describe_answer(asked: Operation) -> dict[str, Any]:
    if isinstance(asked.answer, str):
        schema = {"type": "object"} if asked.answer == JSON else {}
        return {"description": "Done", "content": {asked.answer: {"schema": schema}}}
    return {"description": "Done", "content": {JSON: {"schema": _ref(asked.answer)}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": COMPONENTS.format(model=model.__name__)}
