"""Validates each recorded exchange against the OpenAPI document: the operation, the request's body, the answer's body.

    validate.py [DOCUMENT [FOLDER]]

A line of its output names the recording, the operation, the part, the JSON pointer and the rule that is broken. It never prints
a value. `exceptions.tsv` lists what is known to differ: recording, part (operation, request or answer) and the reason. An
exception that is no longer needed is a failure too.
"""

import json
import pathlib
import sys

from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

HERE = pathlib.Path(__file__).resolve().parent
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
PARTS = ("operation", "request", "answer")
# What a rule says may be printed: the rules hold no recorded value.
TELLING = ("type", "required", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "nullable")


class Document:
    def __init__(self, path):
        self.whole = json.loads(path.read_text())
        self.registry = Registry().with_resource("urn:document", DRAFT4.create_resource(self.whole))
        self.operations = []
        for template, item in self.whole["paths"].items():
            for method in METHODS:
                if method in item:
                    self.operations.append(Operation(template, method, item[method], item.get("parameters", [])))

    def operation(self, method, path, query):
        """The one whose path has the most literal segments, and then the one that asks for the most query parameters."""
        fitting = [operation for operation in self.operations if operation.fits(method, path, query)]
        return max(fitting, key=Operation.closeness, default=None)

    def schema(self, holder):
        """The schema of a JSON body or answer; None where it has no content."""
        while holder is not None and "$ref" in holder:
            holder = self.at(holder["$ref"])
        content = (holder or {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    def at(self, reference):
        place = self.whole
        for step in reference.removeprefix("#/").split("/"):
            place = place[step.replace("~1", "/").replace("~0", "~")]
        return place

    def complaints(self, schema, value):
        # The document's rules see to it that a body is a named schema.
        validator = OAS30Validator({"$ref": "urn:document" + schema["$ref"]}, registry=self.registry)
        for error in sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.absolute_path))):
            yield from leaves(error)


class Operation:
    def __init__(self, template, method, declared, shared):
        self.template, self.method, self.declared = template, method, declared
        self.segments = template.split("#")[0].split("/")
        parameters = shared + declared.get("parameters", [])
        self.required = {
            parameter["name"] for parameter in parameters if parameter.get("in") == "query" and parameter.get("required")
        }
        self.is_variant = "#" in template

    def fits(self, method, path, query):
        parts = path.split("/")
        return (
            self.method == method.lower()
            and len(parts) == len(self.segments)
            and all(part == own or (own.startswith("{") and part) for part, own in zip(parts, self.segments))
            and (not self.is_variant or self.required <= query)
        )

    def closeness(self):
        literal = sum(not segment.startswith("{") for segment in self.segments)
        return (literal, len(self.required) if self.is_variant else 0)

    def __str__(self):
        return f"{self.method.upper()} {self.template} ({self.declared['operationId']})"


def leaves(error):
    """The innermost complaints. Of alternatives, those of the one that came furthest."""
    if not error.context:
        rule = str(error.validator)
        said = f" {json.dumps(error.validator_value)}" if rule in TELLING else ""
        yield pointer(error.absolute_path), f"{rule}{said}"
        return
    branches = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    yield pointer(error.absolute_path), f"{error.validator}: none of {len(error.validator_value)} alternatives"
    deepest = max(branches.values(), key=lambda errors: max(len(inner.absolute_path) for inner in errors))
    for inner in deepest:
        yield from leaves(inner)


def pointer(path):
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path) or "/"


def response(operation, status):
    answers = operation.declared["responses"]
    return answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers.get("default")


def check_request(document, operation, request):
    schema = document.schema(operation.declared.get("requestBody"))
    body = request.get("body")
    if schema is None:
        if body:
            yield "/", "a body where the document has none"
    elif not isinstance(body, dict) or "json" not in body:
        yield "/", "no JSON where the document has a body"
    else:
        yield from document.complaints(schema, body["json"])


def check_answer(document, operation, answer):
    declared = response(operation, answer["status"])
    if declared is None:
        yield "/", f"the status {answer['status']} is not in the document"
        return
    schema, text = document.schema(declared), answer.get("body_text") or ""
    if schema is None:
        if text:
            yield "/", "a body where the document has none"
        return
    try:
        value = json.loads(text)
    except ValueError:
        yield "/", "no JSON where the document has a body" if text else "no body where the document has one"
        return
    yield from document.complaints(schema, value)


def check(document, recording):
    """The findings of a recording: the part, the operation, the pointer and the complaint."""
    request = recording["request"]
    path = request["path"].removeprefix("/api")
    query = {name for name, _ in request["query"]}
    operation = document.operation(request["method"], path, query)
    if operation is None:
        return [("operation", request["method"], "", "no operation of the document has this method and path")]
    findings = [("request", operation, *found) for found in check_request(document, operation, request)]
    findings += [("answer", operation, *found) for found in check_answer(document, operation, recording["response"])]
    return findings


def exceptions(folder):
    found = {}
    for number, line in enumerate((folder / "exceptions.tsv").read_text().splitlines()[1:], start=2):
        recording, part, reason = line.split("\t")
        if part not in PARTS or not reason or (recording, part) in found:
            raise SystemExit(f"exceptions.tsv:{number}: needs a recording, a part ({', '.join(PARTS)}) and a reason, once")
        found[recording, part] = reason
    return found


def main(document="../../openapi/xtra.json", folder="."):
    document, folder = Document(HERE / document), HERE / folder
    known = exceptions(folder)
    files = sorted(path for path in folder.glob("*.json") if path.name != "seed-values.json")
    failures, used, held = 0, set(), 0
    for path in files:
        findings = check(document, json.loads(path.read_text()))
        held += not findings
        for part, operation, place, complaint in findings:
            if (path.stem, part) in known:
                used.add((path.stem, part))
                continue
            failures += 1
            print(f"{path.name}: {operation}: {part} {place}: {complaint}")
    for recording, part in sorted(known.keys() - used):
        failures += 1
        print(f"exceptions.tsv: {recording}: {part}: holds, so that it is no exception")
    print(f"{len(files)} recordings: {held} hold, {len({name for name, _ in used})} differ as listed, {failures} failures")
    if not files:
        print("no recordings were found")
    return 1 if failures or not files else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
