"""Reads the subset of YAML in which network files and case files are written, with the standard library alone.

What it reads: block maps and block sequences by indentation (also a map that starts on its sequence's dash), flow maps
and sequences on one line (with the single pair `[conv2d: {filters: 3}]`), plain and quoted scalars, comments. What it
does not: anchors, tags, multi-line scalars, several documents. It is for the project's own test data; the compiler's
reader is yaml-cpp.
"""
import re

_TOKEN = re.compile(r"""\s*([\[\]{},]                                       # punctuation
                          | :(?=\s|$|[\[{"'])                            # after a key
                          | "(?:[^"\\]|\\.)*" | '[^']*'                   # quoted
                          | [^\[\]{},:"'\s](?:[^\[\]{},:]|:(?!\s|$))*)   # plain""", re.VERBOSE)


def load(path):
    """The document in the file at `path` as dicts, lists and scalars. Raises ValueError with path and line."""
    with open(path, encoding="utf-8") as file:
        return loads(file.read(), str(path))


def loads(text, name="<text>"):
    """The document in `text`; `name` stands for it in errors."""
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        body = _strip_comment(line).rstrip()
        if body.strip():
            lines.append((len(body) - len(body.lstrip()), body.strip(), f"{name}:{number}"))
    if not lines:
        return None
    reader = _Blocks(lines)
    value = reader.block(lines[0][0])
    if reader.at < len(lines):
        raise ValueError(f"{lines[reader.at][2]}: unexpected indentation")
    return value


def _strip_comment(line):
    quote = None
    for i, c in enumerate(line):
        if quote:
            quote = None if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c == "#" and (i == 0 or line[i - 1].isspace()):
            return line[:i]
    return line


def scalar(text):
    """A plain scalar's value: null, bool, int, float or str."""
    known = {"null": None, "~": None, "": None, "true": True, "false": False}
    if text in known:
        return known[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


class _Blocks:
    def __init__(self, lines):
        self.lines, self.at = lines, 0

    def block(self, indent):
        if self.lines[self.at][1].startswith("- ") or self.lines[self.at][1] == "-":
            return self.sequence(indent)
        if _key(self.lines[self.at][1]):
            return self.map(indent)
        _, text, where = self.lines[self.at]
        self.at += 1
        return _flow(text, where)

    def sequence(self, indent):
        items = []
        while self.at < len(self.lines):
            depth, text, where = self.lines[self.at]
            if depth != indent or not (text.startswith("- ") or text == "-"):
                break
            rest = text[1:].lstrip()
            if not rest:
                self.at += 1
                items.append(self.nested(indent))
            else:
                inner = indent + len(text) - len(rest)
                self.lines[self.at] = (inner, rest, where)
                items.append(self.block(inner))
        return items

    def map(self, indent):
        result = {}
        while self.at < len(self.lines):
            depth, text, where = self.lines[self.at]
            match = _key(text)
            if depth != indent or not match:
                break
            key, rest = scalar(match.group(1).strip("\"'")), match.group(2).strip()
            if key in result:
                raise ValueError(f"{where}: doubled key '{key}'")
            self.at += 1
            result[key] = _flow(rest, where) if rest else self.nested(indent)
        return result

    def nested(self, indent):
        if self.at < len(self.lines):
            depth, text, _ = self.lines[self.at]
            if depth > indent or (depth == indent and text.startswith("- ")):
                return self.block(depth)
        return None


def _key(text):
    if text[0] in "[{":
        return None
    return re.match(r"""^("[^"]*"|'[^']*'|[^\[\]{},"'#]+?):(\s.*|$)""", text)


def _flow(text, where):
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError(f"{where}: cannot read '{text[at:]}'")
        tokens.append(match.group(1).rstrip())
        at = match.end()
    if len(tokens) > 1 and text[0] not in "[{":
        return scalar(text)  # a plain scalar with commas or colons in it
    tokens.append(None)
    value, at = _flow_value(tokens, 0, where)
    if tokens[at] is not None:
        raise ValueError(f"{where}: unexpected '{tokens[at]}'")
    return value


def _flow_value(tokens, at, where):
    token = tokens[at]
    if token == "[":
        items, at = [], at + 1
        while tokens[at] != "]":
            value, at = _flow_value(tokens, at, where)
            if tokens[at] == ":":
                inner, at = _flow_value(tokens, at + 1, where)
                value = {value: inner}
            items.append(value)
            at = _separator(tokens, at, "]", where)
        return items, at + 1
    if token == "{":
        result, at = {}, at + 1
        while tokens[at] != "}":
            key, at = _flow_value(tokens, at, where)
            if tokens[at] != ":":
                raise ValueError(f"{where}: expected ':' after '{key}'")
            if key in result:
                raise ValueError(f"{where}: doubled key '{key}'")
            result[key], at = _flow_value(tokens, at + 1, where)
            at = _separator(tokens, at, "}", where)
        return result, at + 1
    if token is None or token in "]},:":
        raise ValueError(f"{where}: unexpected '{token or 'end of line'}'")
    return (token[1:-1] if token[0] in "\"'" else scalar(token)), at + 1


def _separator(tokens, at, end, where):
    if tokens[at] == ",":
        return at + 1
    if tokens[at] != end:
        raise ValueError(f"{where}: expected ',' or '{end}'")
    return at


def dump_flow(value):
    """`value` in flow style on one line, such that loads() and any YAML reader give it back."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {dump_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(dump_flow(v) for v in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
