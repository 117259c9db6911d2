#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "estimate/chain.hpp"
#include "study/best_fit.hpp"

using namespace kinetune;
using namespace kinetune::estimate::test;

namespace {

class BestFit : public testing::Test {
 protected:
  BestFit() {
    write_chain(files);
    loaded = study::load(files.yaml());
  }

  study::BestFit fit(const std::vector<double>& x, const simulate::IntegratorOptions& options = {}) const {
    return study::best_fit(loaded.petab, loaded.problem, loaded.codes, options, x);
  }

  ProblemFiles files;
  study::LoadedProblem loaded;
};

}  // namespace

TEST_F(BestFit, puts_the_prediction_beside_each_measurement) {
  const auto rows = fit(chain_x).measurements;

  ASSERT_EQ(rows.size(), chain_rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto [value, sigma] = chain_prediction(chain_rows[i], chain_x);
    EXPECT_EQ(rows[i].observable_id, chain_rows[i].observable);
    EXPECT_EQ(rows[i].condition_id, chain_rows[i].condition);
    EXPECT_EQ(rows[i].time, chain_rows[i].time);
    EXPECT_EQ(rows[i].measurement, chain_rows[i].measurement);
    EXPECT_NEAR(rows[i].simulation, value, 1e-6 * std::fabs(value));
    EXPECT_NEAR(rows[i].sigma, sigma, 1e-6 * sigma);
  }
}

TEST_F(BestFit, draws_a_curve_for_each_observable_of_a_condition_from_zero_to_its_last_measurement) {
  std::map<std::pair<std::string, std::string>, std::vector<store::CurveRow>> curves;
  for (const auto& row : fit(chain_x).curves) curves[{row.observable_id, row.condition_id}].push_back(row);

  EXPECT_EQ(curves.size(), 6u);
  for (const auto& [key, points] : curves) {
    EXPECT_EQ(points.front().time, 0.0);
    EXPECT_EQ(points.back().time, 7.5);
    for (std::size_t i = 1; i < points.size(); ++i) EXPECT_LT(points[i - 1].time, points[i].time);
  }
  for (const auto& point : curves.at({"yB", "high"})) {
    const auto [value, sigma] = chain_prediction({"yB", "high", point.time, 1, 0, 0}, chain_x);
    EXPECT_NEAR(point.simulation, value, 1e-6 * std::fabs(value) + 1e-9);
  }
  for (const auto& point : curves.at({"yA", "high"})) {
    const auto [value, sigma] = chain_prediction({"yA", "high", point.time, 1, 0.3, 0.4}, chain_x);
    EXPECT_NEAR(point.simulation, value, 1e-6 * std::fabs(value)) << "with the placeholders of its data";
  }
}

TEST_F(BestFit, tells_the_simulations_of_several_models_apart) {
  files.write_yaml(2);
  loaded = study::load(files.yaml());
  const study::BestFit both = fit(chain_x);
  const std::size_t n = chain_rows.size();

  ASSERT_EQ(both.measurements.size(), 2 * n);
  EXPECT_EQ(both.measurements[0].condition_id, "1/high");
  EXPECT_EQ(both.measurements[n].condition_id, "2/high");
  for (std::size_t i = 0; i < n; ++i)
    EXPECT_EQ(both.measurements[i].simulation, both.measurements[n + i].simulation);
  std::set<std::string> of_measurements, of_curves;
  for (const auto& row : both.measurements) of_measurements.insert(row.condition_id);
  for (const auto& row : both.curves) of_curves.insert(row.condition_id);
  EXPECT_EQ(of_measurements, of_curves);
}

TEST_F(BestFit, is_empty_where_the_simulation_fails) {
  const auto failed = fit(chain_x, {.max_steps = 2});
  EXPECT_TRUE(failed.measurements.empty());
  EXPECT_TRUE(failed.curves.empty());
}
