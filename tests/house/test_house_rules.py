"""The rules find a breach where there is one, and none where there is none."""

import tempfile
import unittest
from pathlib import Path

import house_rules


class HouseRules(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "src").mkdir()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def breaches(self, rule: str) -> list[str]:
        return list(house_rules.RULES[rule](self.root))

    def test_a_module_may_include_what_it_rests_on_indirectly(self) -> None:
        self.write("src/simulate/a.cpp", '#include "simulate/a.hpp"\n#include "core/error.hpp"\n#include "model/m.hpp"\n')
        self.assertEqual(self.breaches("includes"), [])

    def test_a_module_may_not_include_one_below_it(self) -> None:
        self.write("src/core/a.cpp", '// first line\n#include "store/table.hpp"\n')
        [breach] = self.breaches("includes")
        self.assertIn("a.cpp:2: core does not rest on store", breach)

    def test_a_module_may_not_include_a_neighbour(self) -> None:
        self.write("src/optimize/a.hpp", '#include "model/ode_model.hpp"\n')
        self.assertEqual(len(self.breaches("includes")), 1)

    def test_the_table_has_no_cycle(self) -> None:
        for module, direct in house_rules.RESTS_ON.items():
            for other in direct:
                self.assertNotIn(module, house_rules.allowed_modules(other))

    def test_an_unknown_module_is_a_breach(self) -> None:
        self.write("src/helpers/a.cpp", "")
        self.assertEqual(len(self.breaches("includes")), 1)

    def test_headers_may_include_the_standard_library_and_no_library(self) -> None:
        self.write("src/jit/a.hpp", "#include <vector>\n#include <llvm/IR/Module.h>\n#include <mpi.h>\n")
        self.assertEqual([breach.split("<")[1].split(">")[0] for breach in self.breaches("headers")],
                         ["llvm/IR/Module.h", "mpi.h"])

    def test_sources_may_include_libraries(self) -> None:
        self.write("src/jit/a.cpp", "#include <llvm/IR/Module.h>\n")
        self.assertEqual(self.breaches("headers"), [])

    def test_cereal_is_for_headers_of_estimate_alone(self) -> None:
        self.write("src/estimate/a.hpp", "#include <cereal/cereal.hpp>\n")
        self.write("src/store/a.hpp", "#include <cereal/cereal.hpp>\n")
        [breach] = self.breaches("headers")
        self.assertIn("store", breach)

    def test_libtorch_is_for_headers_of_the_networks_alone(self) -> None:
        self.write("src/generate/nets/a.hpp", "#include <torch/torch.h>\n")
        self.write("src/generate/a.hpp", "#include <torch/torch.h>\n")
        [breach] = self.breaches("headers")
        self.assertIn("src/generate/a.hpp", breach)

    def test_code_without_tests_is_a_breach(self) -> None:
        self.write("src/core/a.cpp", "")
        self.write("src/store/a.cpp", "")
        self.write("tests/core/test_a.cpp", "")
        [breach] = self.breaches("mirror")
        self.assertIn("tests/store", breach)

    def test_machine_paths_are_found_and_relative_ones_are_not(self) -> None:
        self.write("src/a.py", "open('" + "/ho" + "me/someone/data.csv')\nopen('data/work/x.csv')\nurl = 'b.org/home/x'\n")
        [breach] = self.breaches("paths")
        self.assertIn("a.py:1", breach)


if __name__ == "__main__":
    unittest.main()
