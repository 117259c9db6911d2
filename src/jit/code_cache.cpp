#include "jit/code_cache.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include <unistd.h>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "jit/emit.hpp"

namespace kinetune::jit {
namespace {

namespace fs = std::filesystem;
using symbolic::Expr;

constexpr std::uintmax_t largest_folder = 512u << 20;  // bytes; beyond it the oldest files go
constexpr std::string_view extension = ".kinetune-code";

/// Everything that code depends on, as bytes.
class Description {
 public:
  explicit Description(const ModelSource& source) {
    collect(source);
    const std::vector<Expr> nodes = symbolic::reachable(roots_);
    for (std::size_t i = 0; i < nodes.size(); ++i) index_.emplace(nodes[i].id(), i);
    for (const Expr e : nodes) {
      add(static_cast<std::uint64_t>(e.op()));
      if (e.is_constant())
        add(std::bit_cast<std::uint64_t>(e.value()));
      else if (e.is_symbol())
        add(e.name());
      else
        add_all(e.args());
    }
    add_all(roots_);
    for (const std::uint64_t number : numbers_) add(number);
    for (const std::string& text : texts_) add(text);
  }

  void add(std::uint64_t number) { bytes_.append(reinterpret_cast<const char*>(&number), sizeof number); }
  void add(std::string_view text) {
    add(text.size());
    bytes_ += text;
  }

  const std::string& bytes() const { return bytes_; }

 private:
  void add_all(std::span<const Expr> expressions) {
    add(expressions.size());
    for (const Expr e : expressions) add(index_.at(e.id()));
  }

  /// Notes expressions, and how many they are.
  void note(std::span<const Expr> expressions) {
    numbers_.push_back(expressions.size());
    roots_.insert(roots_.end(), expressions.begin(), expressions.end());
  }
  void note(Expr e) { note(std::span(&e, 1)); }
  void note(const std::optional<Expr>& e) { e ? note(*e) : note(std::span<const Expr>()); }
  void note(bool flag) { numbers_.push_back(flag ? 1 : 0); }

  void collect(const ModelSource& source) {
    const model::FlatModel& model = source.model;
    note(model.time);
    note(model.state_symbols);
    note(model.parameter_symbols);
    note(model.rates);
    note(model.initials);
    for (const auto& event : model.events) collect(event);
    for (const auto& delay : model.delays) {
      numbers_.push_back(static_cast<std::uint64_t>(delay.state));
      note(std::array{delay.lag, delay.value, delay.before});
    }
    for (const auto& constraint : model.constraints) {
      numbers_.push_back(static_cast<std::uint64_t>(constraint.state));
      note(constraint.residual);
    }
    for (const auto& observable : source.observables) {
      note(std::array{observable.value, observable.noise});
      note(observable.placeholders);
    }
    note(source.outputs);
    for (const int index : source.differentiated) numbers_.push_back(static_cast<std::uint64_t>(index));
  }

  void collect(const model::FlatEvent& event) {
    texts_.push_back(event.id);
    note(event.trigger);
    note(event.delay);
    note(event.priority);
    note(event.initially_true);
    note(event.persistent);
    note(event.values_from_trigger_time);
    for (const auto& assignment : event.assignments) {
      numbers_.push_back(static_cast<std::uint64_t>(assignment.state));
      note(assignment.value);
      note(assignment.factor);
    }
  }

  std::vector<Expr> roots_;
  std::vector<std::uint64_t> numbers_;
  std::vector<std::string> texts_;
  std::unordered_map<std::uint32_t, std::uint64_t> index_;
  std::string bytes_;
};

/// This build of this program.
std::string program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const auto size = error ? 0 : fs::file_size(self, error);
  const auto time = error ? fs::file_time_type() : fs::last_write_time(self, error);
  return self.string() + ' ' + std::to_string(size) + ' ' + std::to_string(time.time_since_epoch().count());
}

std::string key(const ModelSource& source, const CompileOptions& options) {
  Description description(source);
  description.add(host_cpu());
  description.add(program());
  description.add(static_cast<std::uint64_t>(options.max_operations_per_function));
  description.add(static_cast<std::uint64_t>(options.derivatives));
  description.add(static_cast<std::uint64_t>(options.max_second_derivatives));
  description.add(static_cast<std::uint64_t>(options.lanes));
  return core::checksum(description.bytes());
}

/// A file is the checksum of the code, then the code.
std::optional<ModelCode> read(const fs::path& file) {
  try {
    const std::string content = core::read_file(file);
    const std::size_t length = core::checksum("").size();
    if (content.size() < length || core::checksum(content.substr(length)) != content.substr(0, length))
      return std::nullopt;
    return ModelCode::from_bytes(std::string_view(content).substr(length));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

void remove_oldest(const fs::path& folder) {
  struct File {
    fs::file_time_type time;
    std::uintmax_t size;
    fs::path path;
  };
  std::vector<File> files;
  std::uintmax_t total = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != extension) continue;
    files.push_back({entry.last_write_time(), entry.file_size(), entry.path()});
    total += files.back().size;
  }
  std::ranges::sort(files, {}, &File::time);
  for (const File& file : files) {
    if (total <= largest_folder) return;
    fs::remove(file.path);
    total -= file.size;
  }
}

void write(const fs::path& file, const ModelCode& code) {
  try {
    if (fs::create_directories(file.parent_path()))
      fs::permissions(file.parent_path(), fs::perms::owner_all);  // machine code that others could change
    const std::string bytes = code.to_bytes();
    fs::path own = file;
    own += '.' + std::to_string(::getpid());  // another process may write the same
    core::write_file_atomically(own, core::checksum(bytes) + bytes);
    fs::rename(own, file);
    remove_oldest(file.parent_path());
  } catch (const std::exception& error) {
    core::log(core::LogLevel::debug, "compiled model is not kept: {}", error.what());
  }
}

}  // namespace

std::optional<fs::path> cache_folder() {
  if (const char* own = std::getenv("KINETUNE_CACHE"))
    return *own ? std::optional<fs::path>(own) : std::nullopt;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) return fs::path(cache) / "kinetune";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache" / "kinetune";
  return std::nullopt;
}

ModelCode compile_cached(const ModelSource& source, const CompileOptions& options,
                         const std::optional<fs::path>& folder) {
  if (!folder) return compile(source, options);
  const fs::path file = *folder / (key(source, options) + std::string(extension));
  if (auto code = read(file)) return *std::move(code);
  ModelCode code = compile(source, options);
  write(file, code);
  return code;
}

}  // namespace kinetune::jit
