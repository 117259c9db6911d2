#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generate/options.hpp"

using namespace kinetune;
using namespace kinetune::generate;
using testing::HasSubstr;

namespace {

std::string refusal(std::string_view option, std::string_view value) {
  GeneratorOptions options;
  try {
    set_option(options, option, value);
    check(options);
  } catch (const core::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST(Options, every_option_survives_its_text) {
  GeneratorOptions options = default_options(Method::ccgan);
  options.seed = 0xffff'ffff'ffff'fff0;
  options.learning_rate = 1.0 / 3;
  options.vicinity = Vicinity::soft;
  const std::string text = to_text(options);
  EXPECT_EQ(to_text(options_from_text(text, "a.h5")), text);
  EXPECT_THAT(text, HasSubstr("vicinity: soft\n"));
  EXPECT_EQ(options_from_text(text, "a.h5").learning_rate, 1.0 / 3);
}

TEST(Options, wrong_ones_are_refused_with_what_would_be_right) {
  EXPECT_THAT(refusal("methd", "cvae"), HasSubstr("there is no option methd"));
  EXPECT_THAT(refusal("method", "gan"), HasSubstr("one of cvae, transformer, ccgan"));
  EXPECT_THAT(refusal("epochs", "-3"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("epochs", "3.5"), HasSubstr("whole number"));
  EXPECT_THAT(refusal("epochs", "0"), HasSubstr("at least 1"));
  EXPECT_THAT(refusal("learning-rate", "nan"), HasSubstr("learning-rate is 'nan'"));
  EXPECT_THAT(refusal("validation-share", "1"), HasSubstr("from 0 to 0.9"));
  EXPECT_EQ(refusal("validation-share", "0.9"), "");
}

TEST(Options, that_a_method_has_no_use_for_are_refused_with_those_that_it_has) {
  const auto said = [](std::string_view option, Method method) -> std::string {
    try {
      check_applies(option, method);
    } catch (const core::Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(said("likelihood", Method::flow), HasSubstr("method flow has no use for likelihood; it has "));
  EXPECT_THAT(said("likelihood", Method::flow), HasSubstr("condition-dropout, guidance, flow-steps"));
  EXPECT_THAT(said("epochs", Method::best_points),
              HasSubstr("it has label-transform, validation-share, seed"));
  for (const Method method : {Method::cvae, Method::transformer, Method::ccgan, Method::flow})
    EXPECT_EQ(said("learning-rate", method), "");
  EXPECT_EQ(said("likelihood", Method::cvae), "");
  EXPECT_EQ(said("vicinity", Method::ccgan), "");
  EXPECT_EQ(said("heads", Method::transformer), "");
}

TEST(Options, in_a_file_are_refused_at_their_line) {
  try {
    options_from_text("seed: 1\nwidth: many\n", "model.h5");
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_EQ(error.where().line, 2);
    EXPECT_EQ(error.where().file, "model.h5");
  }
}

TEST(Options, heads_must_divide_the_width_of_a_transformer) {
  GeneratorOptions options = default_options(Method::transformer);
  options.heads = 3;
  EXPECT_THROW(check(options), core::Error);
}
