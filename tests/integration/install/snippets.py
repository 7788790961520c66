"""The C++ that the documents show compiles.

    snippets.py CXX INCLUDE_DIR DOCUMENT...

A block with an #include is a program and stands alone. The others are put together into one, each in a namespace of its own: as
declarations, as a member of an agent, or as statements, with the names that the text around them takes for granted.
"""

import re
import subprocess
import sys
import tempfile

GIVEN = """
#include <chrono>
#include <iostream>
#include <string>
#include <utility>
#include <agentd/agentd.hpp>
using namespace std::chrono_literals;
namespace my { struct Writer : agentd::Agent { agentd::Message reply(const agentd::Message& x) override; }; }
agentd::AgentRef writer, critic, judge, planner, optimist, pessimist, publisher, alice, bob, carol;
agentd::Message draft, report;
std::string secret;
"""
DECLARATIONS = "{}"
MEMBER = "struct Some : agentd::Agent {{\n{}\nagentd::AgentRef left_, right_, judge_;\n}};"
STATEMENTS = "void show() {{\n{}\n}}"


def blocks(document):
    """The C++ blocks of a document, each beginning with where it stands."""
    with open(document, encoding="utf-8") as file:
        text = file.read()
    for found in re.finditer(r"^```cpp\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield f'#line {text.count(chr(10), 0, found.start(1)) + 1} "{document}"\n{found[1]}'


def form_of(block):
    if re.search(r"^(class|struct) ", block, re.MULTILINE):
        return DECLARATIONS
    return MEMBER if re.search(r"^\S.* override \{", block, re.MULTILINE) else STATEMENTS


def compiles(compiler, include, source):
    with tempfile.NamedTemporaryFile("w", suffix=".cpp", encoding="utf-8") as file:
        file.write(source)
        file.flush()
        return subprocess.run([compiler, "-std=c++20", "-fsyntax-only", f"-I{include}", file.name], check=False).returncode == 0


def main(compiler, include, *documents):
    shown = {document: list(blocks(document)) for document in documents}
    empty = [document for document, found in shown.items() if not found]
    if empty:
        sys.exit(f"no C++ in {', '.join(empty)}")
    every = [block for found in shown.values() for block in found]
    programs = [block for block in every if "#include" in block]
    parts = [block for block in every if "#include" not in block]
    together = GIVEN + "".join(f"namespace block_{i} {{\n{form_of(part).format(part)}\n}}\n" for i, part in enumerate(parts))
    if not all([compiles(compiler, include, source) for source in [*programs, together]]):
        sys.exit("what the documents show does not compile")


main(*sys.argv[1:])
