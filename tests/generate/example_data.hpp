#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "core/random.hpp"
#include "generate/data.hpp"
#include "generate/generator.hpp"

namespace example {

/// A folder of this test alone, empty.
inline std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::temp_directory_path() / ("kinetune_test_generate_" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

/// Uniform points whose fval is the squared distance from the middle of the box.
inline kinetune::generate::DataSet points(std::size_t n, std::size_t n_x, std::size_t points_a_run = 5) {
  kinetune::generate::DataSet data;
  for (std::size_t j = 0; j < n_x; ++j) data.parameter_ids.push_back("k" + std::to_string(j));
  data.kinds.assign(n_x, kinetune::generate::ParameterKind::rate);
  kinetune::core::RandomStream random(3, 0);
  for (std::size_t i = 0; i < n; ++i) {
    double fval = 0;
    for (std::size_t j = 0; j < n_x; ++j) {
      data.x.push_back(random.uniform());
      fval += (data.x.back() - 0.5) * (data.x.back() - 0.5);
    }
    data.fval.push_back(fval);
    data.outcome.push_back(kinetune::generate::Outcome::evaluated);
    data.run.push_back(i / points_a_run);
  }
  return data;
}

/// A model after all its epochs.
inline std::unique_ptr<kinetune::generate::Generator> trained(
    const kinetune::generate::GeneratorOptions& options, const kinetune::generate::DataSet& data) {
  struct : kinetune::generate::TrainingObserver {
    Next on_epoch(const kinetune::generate::EpochRecord&) override { return Next::go_on; }
  } observer;
  auto model = kinetune::generate::make_generator(options);
  EXPECT_TRUE(model->train(data, observer));
  return model;
}

}  // namespace example
