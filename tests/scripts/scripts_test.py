"""What holds of the scripts that check and demonstrate nibble."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


class Checkout(unittest.TestCase):
    """A made-up checkout in a temporary folder."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "src").mkdir()

    def write(self, name, *lines):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    def check(self, script):
        return run(sys.executable, ROOT / "scripts" / script, self.root)


class Layers(Checkout):
    def setUp(self):
        super().setUp()
        for layer in ("base", "io", "model", "quantize", "eval"):
            self.write(f"src/{layer}/{layer}.h", "#pragma once")

    def assert_offence(self, what):
        result = self.check("check_layers.py")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn(what, result.stdout)

    def test_lower_layers_and_tools_may_include(self):
        self.write("src/model/a.cpp", '#include "io/io.h"', '#include "base/base.h"', "#include <vector>")
        self.write("tools/x/own.h", "#pragma once")
        self.write("tools/x/main.cpp", '#include "own.h"', '#include "eval/eval.h"')
        result = self.check("check_layers.py")
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_a_higher_layer_is_an_offence(self):
        self.write("src/io/a.cpp", '#include "base/base.h"', '#include "model/model.h"')
        self.assert_offence("src/io/a.cpp:2: io/ may not include")

    def test_a_sibling_is_an_offence(self):
        self.write("src/eval/a.cpp", '#include "quantize/quantize.h"')
        self.assert_offence("src/eval/a.cpp:1: eval/ may not include")

    def test_a_relative_include_is_an_offence(self):
        self.write("src/io/a.cpp", '#include "../base/base.h"')
        self.assert_offence("src/io/a.cpp:1:")
        self.write("src/io/a.cpp", '#include "io.h"')
        self.assert_offence("src/io/a.cpp:1:")

    def test_the_own_header_comes_first(self):
        self.write("src/io/io.cpp", "#include <vector>", '#include "io/io.h"')
        self.assert_offence('src/io/io.cpp:1: expected "io/io.h" as the first include')

    def test_an_unknown_folder_is_an_offence(self):
        self.write("src/misc/a.h", "#pragma once")
        self.assert_offence("src/misc: unknown layer")


class Style(Checkout):
    def assert_offence(self, what):
        result = self.check("check_style.py")
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn(what, result.stdout)

    def test_tidy_code_passes(self):
        self.write("src/base/a.h", "#pragma once", "", "namespace nibble {", "int a();", "}  // namespace nibble")
        result = self.check("check_style.py")
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_long_files_leftovers_and_paths_of_a_machine_are_offences(self):
        self.write("src/base/long.cpp", *["int a;"] * 501)
        self.assert_offence("src/base/long.cpp:501:")
        self.write("src/base/left.cpp", "int a;", "// TO" + "DO: more")
        self.assert_offence("src/base/left.cpp:2: unfinished")
        self.write("scripts/x.sh", "cp /ho" + "me/me/model .")
        self.assert_offence("scripts/x.sh:1: a path of one machine")
        self.write("src/base/open.h", "int a();")
        self.assert_offence("src/base/open.h:1: a header begins")


class JsonGet(unittest.TestCase):
    DOCUMENT = {
        "schema": "nibble.eval/1",
        "runs": [{"name": "a, b: {c}"}, [], {}, -1.5e-3],
        "perplexity": {"value": 31.25, "stderr": None, "exact": True},
        "empty": "",
    }

    def get(self, path, text):
        return run("awk", "-v", f"path={path}", "-f", ROOT / "scripts" / "json_get.awk", input=text)

    def test_every_path_has_its_value_however_the_text_is_laid_out(self):
        expected = {
            "schema": "nibble.eval/1", "runs.0.name": "a, b: {c}", "runs.3": "-0.0015",
            "perplexity.value": "31.25", "perplexity.stderr": "null", "perplexity.exact": "true",
            "empty": "",
        }
        for indent in (None, 2):
            text = json.dumps(self.DOCUMENT, indent=indent)
            for path, value in expected.items():
                result = self.get(path, text)
                self.assertEqual((result.returncode, result.stdout), (0, value + "\n"), path)

    def test_a_path_that_is_not_there_fails(self):
        for path in ("absent", "runs.7", "perplexity", "schema.value"):
            self.assertEqual(self.get(path, json.dumps(self.DOCUMENT)).returncode, 1, path)

    def test_a_truncated_document_does_not_hang(self):
        text = json.dumps(self.DOCUMENT)
        for length in range(len(text)):
            run("awk", "-v", "path=absent", "-f", ROOT / "scripts" / "json_get.awk",
                input=text[:length], timeout=10)


if __name__ == "__main__":
    unittest.main()
