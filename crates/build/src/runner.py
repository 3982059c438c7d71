"""Calls one hook of a build backend (PEP 517, PEP 660): runner.py REQUEST ANSWER, both JSON."""

import importlib
import json
import os
import sys


def load(request):
    here = os.path.dirname(os.path.realpath(__file__))
    if sys.path and os.path.realpath(sys.path[0]) == here:
        del sys.path[0]
    places = [os.path.abspath(place) for place in request["backend_path"]]
    sys.path[:0] = places
    module_name, _, attributes = request["backend"].partition(":")
    module = importlib.import_module(module_name)
    if places:
        origin = os.path.abspath(getattr(module, "__file__", None) or "")
        if not any(origin.startswith(place + os.sep) for place in places):
            raise ImportError(f"{module_name} was not found in backend-path but at {origin}")
    backend = module
    for attribute in filter(None, attributes.split(".")):
        backend = getattr(backend, attribute)
    return backend


def call(request):
    try:
        backend = load(request)
    except ImportError as error:
        import traceback

        traceback.print_exc()
        return {"unavailable": f"{type(error).__name__}: {error}"}
    hook = getattr(backend, request["hook"], None)
    if hook is None:
        return {"missing": True}
    return {"value": hook(*request["arguments"])}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    answer_path = sys.argv[2]
    # A backend that looks at its arguments should see none of ours.
    del sys.argv[1:]
    answer = call(request)
    with open(answer_path, "w", encoding="utf-8") as file:
        json.dump(answer, file)


main()
