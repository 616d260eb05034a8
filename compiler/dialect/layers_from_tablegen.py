#!/usr/bin/env python3
"""Writes the table of layers, C++ initialisers of LayerRecord (compiler/frontend/LayerTable.h), from the ODS records.

Every record of class Nn_Layer becomes one initialiser: its name in the network file, its documentation, its role, its
operands, its attributes with their YAML types and defaults, and its plan function. So the network file's keys are
declared in NnOps.td alone.

    layers_from_tablegen.py LLVM-TBLGEN NnOps.td OUTPUT [INCLUDE-FOLDER...]

Beside OUTPUT it writes layers.json, the same table for tests: {kind: {role, main, aliases, operands, attributes}}.
"""
import json
import pathlib
import subprocess
import sys
import textwrap

# The attribute classes of NnBase.td: each is one YAML type.
YAML_TYPES = ("Count", "Counts", "Integer", "Integers", "Single", "Pair", "Triple", "Padding1", "Padding", "Padding3",
              "Flag", "Number", "Numbers")

# Keys of the network file that entries have besides their attributes: commonKeys in compiler/frontend/LayerReader.cpp.
COMMON_KEYS = {"layer": ("name", "from", "weights", "init", "trainable", "learning_rate", "weight_decay"),
               "preprocess": (), "loss": ("from", "weight", "target")}


def fail(record, text):
    sys.exit(f"layers_from_tablegen.py: {record}: {text}")


def quote(text):
    return json.dumps(text)


def is_a(record, name):
    return name in record["!superclasses"]


def yaml_default(text):
    """A C++ default such as `{1, 1}` as one writes it in YAML: equal numbers become one number."""
    def plain(number):
        return number.removesuffix(".0")
    if text.startswith('"'):
        return text.strip('"')
    values = [plain(value.strip()) for value in text.strip().removeprefix("{").removesuffix("}").split(",")]
    return values[0] if len(set(values)) == 1 else "[" + ", ".join(values) + "]"


def attribute(records, owner, reference, name):
    """(name, YAML type, is required, default, words) of an attribute; None for a unit attribute, which passes set."""
    definition, required, default = reference["def"], True, ""
    while definition.removeprefix("Nn_") not in YAML_TYPES:
        record = records[definition]
        if definition == "UnitAttr":
            return None
        if is_a(record, "Nn_Word"):
            return name, "Word", required, default, record["words"]
        if is_a(record, "OptionalAttr"):
            required = False
        elif is_a(record, "DefaultValuedAttr"):
            required, default = False, yaml_default(record["defaultValue"])
        else:
            fail(owner, f"attribute '{name}' has no YAML type: use one of Nn_Word, "
                 + ", ".join("Nn_" + word for word in YAML_TYPES))
        definition = record["baseAttr"]["def"]
    return name, definition.removeprefix("Nn_"), required, default, []


def operand(records, owner, reference, name, role):
    """OperandKind of an operand."""
    kind = records[reference["def"]]
    base, optional, variadic = reference["def"], is_a(kind, "Optional"), is_a(kind, "Variadic")
    if optional or variadic:
        base = kind["baseType"]["def"]
    if base == "Nn_Parameter":
        return "Parameter"
    if base != "Nn_Tensor":
        fail(owner, f"operand '{name}' is {base}, expected Nn_Tensor or Nn_Parameter")
    if optional:
        return "Internal"
    if role == "loss" and name == "target":
        return "Target"
    return "Inputs" if variadic else "Input"


def layer(records, name):
    record = records[name]
    operands, attributes = [], []
    for reference, argument in record["arguments"]["args"]:
        if is_a(records[reference["def"]], "TypeConstraint"):
            operands.append((argument, operand(records, name, reference, argument, record["role"])))
        elif found := attribute(records, name, reference, argument):
            attributes.append(found)
    order = ("Input", "Inputs", "Target", "Parameter", "Internal")
    kinds = [kind for _, kind in operands]
    if kinds != sorted(kinds, key=order.index) or kinds.count("Inputs") > 1 or {"Input", "Inputs"} <= set(kinds):
        fail(name, f"operands are {', '.join(kinds)}, expected the order " + ", ".join(order)
             + ", and either some Input or one Inputs")
    main = record["mainAttribute"]
    if main and main not in [found[0] for found in attributes]:
        fail(name, f"the main attribute '{main}' is none of its attributes")
    if record["role"] not in ("layer", "preprocess", "loss"):
        fail(name, f"the role '{record['role']}' is unknown")
    for key, *_ in attributes:
        if key in COMMON_KEYS[record["role"]]:
            fail(name, f"every {record['role']} has a key '{key}': give the attribute another name")
    segmented = any(trait["def"] == "AttrSizedOperandSegments" for trait in record["traits"])
    rows = "".join(f"\n      {{{quote(key)}, AttributeType::{kind}, {str(required).lower()}, {quote(default)}, "
                   f"{{{', '.join(map(quote, words))}}}}},"
                   for key, kind, required, default, words in attributes)
    operand_rows = ", ".join(f"{{{quote(argument)}, OperandKind::{kind}}}" for argument, kind in operands)
    description = " ".join(textwrap.dedent(record["description"]).split())
    return (f"    {{{quote(record['opName'])},\n     {quote(record['summary'])},\n     {quote(description)},\n"
            f"     LayerRole::{record['role'].capitalize()}, {quote(main)}, {quote(record['defaultOutput'])},\n"
            f"     {{{', '.join(map(quote, record['aliases']))}}},\n"
            f"     {{{operand_rows}}}, {str(segmented).lower()},\n     {{{rows}}},\n"
            f"     &nn::{name.removeprefix('Nn_')}::plan}},\n")


def layer_json(records, name):
    """The layer as tests read it; attributes as {name: {type, required, default}}."""
    record, operands, attributes = records[name], [], {}
    for reference, argument in record["arguments"]["args"]:
        if is_a(records[reference["def"]], "TypeConstraint"):
            operands.append(argument)
        elif found := attribute(records, name, reference, argument):
            key, *facts = found
            attributes[key] = dict(zip(("type", "required", "default"), facts))
    return {"role": record["role"], "main": record["mainAttribute"], "aliases": record.get("aliases", []),
            "operands": operands, "attributes": attributes}


def main():
    tblgen, source, output, *includes = sys.argv[1:]
    command = [tblgen, "--dump-json", source] + [f"-I{folder}" for folder in includes]
    records = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    text = f"// Generated from {pathlib.Path(source).name} by layers_from_tablegen.py.\n"
    text += "".join(layer(records, name) for name in records["!instanceof"]["Nn_Layer"])
    pathlib.Path(output).write_text(text)
    table = {records[name]["opName"]: layer_json(records, name) for name in records["!instanceof"]["Nn_Layer"]}
    pathlib.Path(output).with_name("layers.json").write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
