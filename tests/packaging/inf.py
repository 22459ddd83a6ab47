# SPDX-License-Identifier: MIT
"""Reads an INF: sections of lines, each a key (or none) and its values, %tokens% left as they are."""
import re

LINE = re.compile(r'^(?:(?P<key>"[^"]*"|[^=",]+?)\s*=)?\s*(?P<values>.*)$')


class Fault(Exception):
    """A line that is no INF."""


class Line:
    def __init__(self, number, key, values):
        self.number, self.key, self.values = number, key, values


class Section:
    def __init__(self, name, number):
        self.name, self.number, self.lines = name, number, []

    def get(self, key):
        """The values behind a key, or None."""
        return next((line.values for line in self.lines if (line.key or "").lower() == key.lower()), None)


def without_comment(line):
    quoted = False
    for at, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            return line[:at].strip()
    if quoted:
        raise Fault("a quotation mark without its partner")
    return line.strip()


def split_values(text):
    """Comma separated; quotes protect commas and go."""
    fields = re.findall(r'((?:"[^"]*"|[^,"])*)(?:,|$)', text)
    fields = fields[:-1] if len(fields) > 1 and text and not text.endswith(",") else fields
    return [field.strip().strip('"') for field in fields] if text else []


class Inf:
    def __init__(self, text):
        self.sections, self.repeated = {}, []
        current = None
        for number, raw in enumerate(text.splitlines(), start=1):
            try:
                line = without_comment(raw)
                if not line:
                    continue
                if line.startswith("["):
                    current = self.open_section(line, number)
                elif current is None:
                    raise Fault("a line before the first section")
                else:
                    match = LINE.match(line)
                    key = match["key"].strip().strip('"') if match["key"] else None
                    current.lines.append(Line(number, key, split_values(match["values"])))
            except Fault as fault:
                raise Fault(f"line {number}: {fault}") from None

    def open_section(self, line, number):
        if not re.fullmatch(r"\[[^\[\]]+\]", line):
            raise Fault(f"not a section: {line}")
        section = Section(line[1:-1].strip(), number)
        if section.name.lower() in self.sections:
            self.repeated.append(section)
            return self.sections[section.name.lower()]
        self.sections[section.name.lower()] = section
        return section

    def __getitem__(self, name):
        return self.sections.get(name.lower())

    def expand(self, value):
        """%token% by [Strings]; %number% (a folder) and %% stay."""
        strings = self["Strings"]

        def replace(match):
            token = strings.get(match[1]) if strings else None
            return ",".join(token) if token is not None else match[0]
        return re.sub(r"%([^%\d][^%]*)%", replace, value)
