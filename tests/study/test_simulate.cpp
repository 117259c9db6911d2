#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "core/error.hpp"
#include "estimate/chain.hpp"
#include "study/simulate.hpp"

using namespace kinetune;
using namespace kinetune::study;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows;

  double at(std::size_t row, const std::string& column) const {
    return rows.at(row).at(std::ranges::find(columns, column) - columns.begin());
  }
};

std::vector<std::string> cells(const std::string& line, char separator) {
  std::vector<std::string> result;
  std::istringstream text(line);
  for (std::string cell; std::getline(text, cell, separator);) result.push_back(cell);
  return result;
}

Table parse(const std::string& text) {
  Table table;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  table.columns = cells(line, ',');
  while (std::getline(lines, line)) {
    table.rows.emplace_back();
    for (const auto& cell : cells(line, ',')) table.rows.back().push_back(std::stod(cell));
  }
  return table;
}

/// The chain in its compartment of size 2, with its own numbers: k1 = 0.5, k2 = 0.2, a0 = 1.
class SimulateModel : public testing::Test {
 protected:
  SimulateModel() {
    options.model = files.path("model.xml");
    options.integrator = {.rtol = 1e-10, .atol = 1e-14};
  }

  std::string refusal() const {
    try {
      simulate_model(options);
    } catch (const core::Error& error) {
      return files.shorten(error.what());
    }
    return "accepted";
  }

  estimate::test::ProblemFiles files;
  SimulateModelOptions options;
};

}  // namespace

TEST_F(SimulateModel, gives_times_and_variables_in_the_order_asked_for) {
  options.variables = {"B", "A"};
  options.duration = 4;
  options.steps = 8;
  const Table table = parse(simulate_model(options));

  EXPECT_THAT(table.columns, ElementsAre("time", "B", "A"));
  ASSERT_EQ(table.rows.size(), 9u);
  for (int i = 0; i <= 8; ++i) {
    const double t = 0.5 * i;
    EXPECT_DOUBLE_EQ(table.at(i, "time"), t);
    EXPECT_NEAR(table.at(i, "A"), std::exp(-0.5 * t), 1e-8);
    EXPECT_NEAR(table.at(i, "B"), 0.5 / (0.2 - 0.5) * (std::exp(-0.5 * t) - std::exp(-0.2 * t)), 1e-8);
  }
}

TEST_F(SimulateModel, begins_at_time_zero_whatever_it_prints_first) {
  options.variables = {"A"};
  options.start = 1;
  options.duration = 3;
  options.steps = 3;
  const Table table = parse(simulate_model(options));
  ASSERT_EQ(table.rows.size(), 4u);
  for (int i = 0; i <= 3; ++i) {
    EXPECT_DOUBLE_EQ(table.at(i, "time"), 1.0 + i);
    EXPECT_NEAR(table.at(i, "A"), std::exp(-0.5 * (1.0 + i)), 1e-8);
  }
}

TEST_F(SimulateModel, gives_amounts_or_concentrations_of_species) {
  options.variables = {"A", "B"};
  options.amounts = {"A"};
  options.concentrations = {"B"};
  const Table table = parse(simulate_model(options));
  EXPECT_NEAR(table.at(50, "A"), 2.0 * std::exp(-5.0), 1e-8);
  EXPECT_NEAR(table.at(50, "B"), 0.5 / (0.2 - 0.5) * (std::exp(-5.0) - std::exp(-2.0)), 1e-8);
}

TEST_F(SimulateModel, gives_reaction_rates_parameters_and_compartments) {
  options.variables = {"r1", "k2", "cell", "a0"};
  const Table table = parse(simulate_model(options));
  EXPECT_NEAR(table.at(10, "r1"), 2.0 * 0.5 * std::exp(-0.5 * 2.0), 1e-8);
  EXPECT_EQ(table.at(10, "k2"), 0.2);
  EXPECT_EQ(table.at(10, "cell"), 2.0);
  EXPECT_EQ(table.at(10, "a0"), 1.0);
}

TEST_F(SimulateModel, gives_all_that_varies_when_nothing_is_named) {
  const Table table = parse(simulate_model(options));
  EXPECT_THAT(table.columns, testing::IsSupersetOf({"time", "A", "B", "r1", "r2"}));
  EXPECT_THAT(table.columns, testing::Not(testing::Contains("k1")));
  EXPECT_EQ(table.rows.size(), 51u);
}

TEST_F(SimulateModel, gives_the_initial_state_for_a_duration_of_zero) {
  options.variables = {"A"};
  options.duration = 0;
  options.steps = 1;
  const Table table = parse(simulate_model(options));
  for (std::size_t i = 0; i < table.rows.size(); ++i) EXPECT_DOUBLE_EQ(table.at(i, "A"), 1.0);
}

TEST_F(SimulateModel, keeps_species_with_amounts_apart_from_those_with_concentrations) {
  // Amount S decays with k1, so its amount is 3 exp(-k1 t) in whatever compartment.
  files.write("model.xml", R"(<?xml version='1.0' encoding='UTF-8'?>
<sbml xmlns='http://www.sbml.org/sbml/level3/version2/core' level='3' version='2'><model id='m'>
<listOfCompartments><compartment id='c' size='4' constant='true'/></listOfCompartments>
<listOfSpecies><species id='S' compartment='c' initialAmount='3' hasOnlySubstanceUnits='true' boundaryCondition='false' constant='false'/></listOfSpecies>
<listOfParameters><parameter id='k1' value='0.7' constant='true'/></listOfParameters>
<listOfReactions><reaction id='r' reversible='false'><listOfReactants><speciesReference species='S' stoichiometry='1' constant='true'/></listOfReactants><kineticLaw><math xmlns='http://www.w3.org/1998/Math/MathML'><apply><times/><ci>k1</ci><ci>S</ci></apply></math></kineticLaw></reaction></listOfReactions>
</model></sbml>
)");
  options.variables = {"S"};
  options.duration = 1;
  options.steps = 1;
  EXPECT_NEAR(parse(simulate_model(options)).at(1, "S"), 3 * std::exp(-0.7), 1e-8);
  options.concentrations = {"S"};
  EXPECT_NEAR(parse(simulate_model(options)).at(1, "S"), 0.75 * std::exp(-0.7), 1e-8);
}

TEST_F(SimulateModel, refuses_what_the_model_has_not) {
  options.variables = {"A", "glucose"};
  EXPECT_THAT(refusal(), testing::StartsWith("model.xml: the model has no variable 'glucose'"));
  options.variables = {"k1"};
  options.amounts = {"k1"};
  EXPECT_THAT(refusal(), HasSubstr("'k1' is no species"));
}

TEST_F(SimulateModel, refuses_species_to_be_shown_as_amounts_that_are_not_among_the_variables) {
  options.variables = {"A"};
  options.amounts = {"glucose"};
  EXPECT_THAT(refusal(), HasSubstr("'glucose'"));
}

TEST_F(SimulateModel, refuses_grids_that_make_no_time_course) {
  const auto refused = [&](double start, double duration, int steps) {
    options.start = start;
    options.duration = duration;
    options.steps = steps;
    return refusal() != "accepted";
  };
  EXPECT_TRUE(refused(-1, 1, 1));
  EXPECT_TRUE(refused(0, -1, 1));
  EXPECT_TRUE(refused(0, 1, 0));
  EXPECT_TRUE(refused(0, 1, -5));
  EXPECT_TRUE(refused(std::nan(""), 1, 1));
  EXPECT_TRUE(refused(0, INFINITY, 1));
}

TEST_F(SimulateModel, tells_where_a_simulation_broke_off) {
  options.integrator.max_steps = 3;
  try {
    simulate_model(options);
    FAIL() << "it did not break off";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("model.xml: simulation failed at time"),
                                             HasSubstr("too many steps")));
  }
}

TEST(SimulateProblem, gives_the_measurement_table_with_simulations) {
  estimate::test::ProblemFiles files;
  estimate::test::write_chain(files);
  std::string table = "parameterId\tscaledValue\n";
  for (std::size_t i = 0; i < estimate::test::chain_x.size(); ++i) {
    table += fmt::format("{}\t{}\n", estimate::test::chain_ids[i], estimate::test::chain_x[i]);
  }
  files.write("x.tsv", table);

  const std::string text = simulate_problem({files.yaml(), files.path("x.tsv"), {1e-10, 1e-14}});

  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  const auto columns = cells(line, '\t');
  const auto cell = [&](const char* column) {
    return cells(line, '\t').at(std::ranges::find(columns, column) - columns.begin());
  };
  for (const auto& row : estimate::test::chain_rows) {
    ASSERT_TRUE(std::getline(lines, line));
    const auto [value, sigma] = estimate::test::chain_prediction(row, estimate::test::chain_x);
    EXPECT_EQ(cell("observableId"), row.observable);
    EXPECT_EQ(cell("simulationConditionId"), row.condition);
    EXPECT_EQ(std::stod(cell("time")), row.time);
    EXPECT_NEAR(std::stod(cell("simulation")), value, 1e-8 * value);
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(SimulateProblem, says_which_of_several_models_a_row_is_of) {
  estimate::test::ProblemFiles files;
  std::istringstream lines(simulate_problem({files.write_yaml(2).yaml(), {}, {}}));
  std::string line;
  std::getline(lines, line);
  ASSERT_EQ(cells(line, '\t').at(1), "modelId");
  std::vector<std::string> first, second;
  while (std::getline(lines, line)) {
    const auto row = cells(line, '\t');
    auto& rows = row.at(1) == "1" ? first : second;
    rows.push_back(row.at(0));
    rows.insert(rows.end(), row.begin() + 2, row.end());
  }
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, second);
}
