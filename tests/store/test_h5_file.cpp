#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "example_run.hpp"
#include "store/h5_file.hpp"

using namespace kinetune;
using namespace kinetune::store;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

std::filesystem::path write(const std::string& name, const Batch& batch) {
  const auto path = example::fresh_folder(name) / "a.h5";
  H5File file(path, Access::create);
  file.apply(batch);
  file.close();
  return path;
}

}  // namespace

TEST(H5File, columns_of_every_type_and_shape_come_back) {
  Batch batch;
  batch.append({"/a/real", ElementType::float64, "d"}, std::vector{1.5, -2.5});
  batch.append({"/a/weights", ElementType::float32, "d", "", {2, 3}}, std::vector<float>(12, 0.5f));
  batch.append({"/a/count", ElementType::uint64, "d"}, std::vector<std::uint64_t>{~0ull});
  batch.append({"/a/signed", ElementType::int64, "d"}, std::vector<std::int64_t>{-1});
  batch.append({"/a/kind", ElementType::category, "d", "", {}, {"no", "yes"}},
               std::vector<std::int8_t>{1, 0});
  batch.append({"/a/text", ElementType::text, "d"}, std::vector<std::string>{"", "µmol", "two\nlines"});
  batch.append({"/a/b/none", ElementType::text, "d"});

  const H5File file(write("types", batch), Access::read);

  EXPECT_THAT(file.read<double>("/a/real"), ElementsAre(1.5, -2.5));
  EXPECT_THAT(file.shape("/a/weights"), ElementsAre(2, 2, 3));
  EXPECT_THAT(file.read<float>("/a/weights"), testing::Each(0.5f));
  EXPECT_THAT(file.read<std::uint64_t>("/a/count"), ElementsAre(~0ull));
  EXPECT_THAT(file.read<std::int64_t>("/a/signed"), ElementsAre(-1));
  EXPECT_THAT(file.read<std::int8_t>("/a/kind"), ElementsAre(1, 0));
  EXPECT_THAT(file.read<std::string>("/a/text"), ElementsAre("", "µmol", "two\nlines"));
  EXPECT_THAT(file.read<std::string>("/a/b/none"), IsEmpty());
  EXPECT_THAT(file.names("/a"), ElementsAre("b", "count", "kind", "real", "signed", "text", "weights"));
  EXPECT_TRUE(file.has("/a/b/none"));
  EXPECT_FALSE(file.has("/c/b/none"));
}

TEST(H5File, some_rows_can_be_read) {
  Batch batch;
  batch.append({"/x", ElementType::float64, "d", "", {2}}, std::vector{0.0, 1.0, 2.0, 3.0, 4.0, 5.0});
  batch.append({"/t", ElementType::text, "d"}, std::vector<std::string>{"a", "b", "c"});
  const H5File file(write("rows", batch), Access::read);
  EXPECT_THAT(file.read<double>("/x", Rows{1, 2}), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(file.read<std::string>("/t", Rows{2, 1}), ElementsAre("c"));
  EXPECT_THAT(file.read<double>("/x", Rows{3, 0}), IsEmpty());
}

TEST(H5File, attributes_come_back_and_can_be_replaced) {
  Batch batch;
  batch.append({"/x", ElementType::float64, "what it is", "s"}, std::vector{1.0});
  batch.set_attribute("/", "seed", std::uint64_t{1} << 63);
  batch.set_attribute("/x", "labels", std::vector<std::string>{"a", "b"});
  const auto path = write("attributes", batch);
  {
    Batch more;
    more.set_attribute("/", "seed", std::uint64_t{7});
    more.set_attribute("/", "study",
                       std::string(100000, 'y'));  // beyond HDF5's 64 KiB for an attribute in a header
    H5File file(path, Access::update);
    file.apply(more);
    file.close();
  }
  const H5File file(path, Access::read);
  EXPECT_EQ(file.attribute<std::uint64_t>("/", "seed"), 7u);
  EXPECT_EQ(file.attribute<std::string>("/", "study"), std::string(100000, 'y'));
  EXPECT_EQ(file.attribute<std::string>("/x", "description"), "what it is");
  EXPECT_EQ(file.attribute<std::string>("/x", "unit"), "s");
  EXPECT_THAT(file.attribute<std::vector<std::string>>("/x", "labels"), ElementsAre("a", "b"));
}

TEST(H5File, rows_appended_over_many_openings_stay_in_order_across_chunks) {
  const Column column{"/x", ElementType::float64, "d"};
  const auto path = write("appended", {});
  std::vector<double> expected;
  for (int round = 0; round < 30; ++round) {
    std::vector<double> rows(300);
    for (double& row : rows)
      row = static_cast<double>(expected.size() + static_cast<std::size_t>(&row - &rows[0]));
    expected.insert(expected.end(), rows.begin(), rows.end());
    Batch batch;
    batch.append(column, std::move(rows));
    H5File file(path, Access::update);
    file.apply(batch);
    file.close();
  }
  EXPECT_EQ(H5File(path, Access::read).read<double>("/x"), expected);
}

TEST(H5File, what_is_no_hdf5_file_or_is_not_there_is_an_error_that_names_it) {
  const auto folder = example::fresh_folder("no_hdf5");
  std::ofstream(folder / "text") << "hello";
  for (const char* name : {"text", "absent"}) {
    try {
      H5File file(folder / name, Access::read);
      FAIL();
    } catch (const core::Error& error) {
      EXPECT_EQ(error.where().file, (folder / name).string());
    }
  }
  EXPECT_THROW(H5File(write("no_column", {}), Access::read).read<double>("/x"), core::Error);
}
