// What the free names of a program mean. Python's `torch`, `math` and `torch.nn.functional as F` are
// answered by libtorch's own operations; a program that Python runs should read the same here.
#include "shim.h"

#include <ATen/core/Reduction.h>
#include <torch/csrc/jit/frontend/resolver.h>
#include <torch/csrc/jit/frontend/sugared_value.h>

#include <cmath>
#include <limits>
#include <unordered_map>

using namespace torch::jit;

namespace {

std::shared_ptr<SugaredValue> operation(const std::string& name) {
  return std::make_shared<BuiltinFunction>(
      c10::Symbol::fromQualString("aten::" + name), std::nullopt);
}

std::shared_ptr<SugaredValue> constant(GraphFunction& function, const c10::IValue& value) {
  return std::make_shared<SimpleValue>(function.graph()->insertConstant(value));
}

const std::unordered_map<std::string, double>& numbers() {
  static const std::unordered_map<std::string, double> table = {
      {"pi", M_PI},
      {"e", M_E},
      {"inf", std::numeric_limits<double>::infinity()},
      {"nan", std::numeric_limits<double>::quiet_NaN()}};
  return table;
}

const std::unordered_map<std::string, at::ScalarType>& kinds() {
  static const std::unordered_map<std::string, at::ScalarType> table = {
      {"float", at::kFloat},     {"float32", at::kFloat}, {"double", at::kDouble},
      {"float64", at::kDouble},  {"half", at::kHalf},     {"float16", at::kHalf},
      {"bfloat16", at::kBFloat16}, {"int", at::kInt},     {"int32", at::kInt},
      {"long", at::kLong},       {"int64", at::kLong},    {"uint8", at::kByte},
      {"bool", at::kBool}};
  return table;
}

// `F.embedding(indices, weight)`: the operation itself wants the weight first.
struct Embedding : SugaredValue {
  std::string kind() const override {
    return "function";
  }
  std::shared_ptr<SugaredValue> call(
      const SourceRange& at,
      GraphFunction& function,
      at::ArrayRef<NamedValue> args,
      at::ArrayRef<NamedValue> kwargs,
      size_t n_binders) override {
    std::vector<NamedValue> turned(args.begin(), args.end());
    if (turned.size() >= 2) {
      std::swap(turned[0], turned[1]);
    }
    return operation("embedding")->call(at, function, turned, kwargs, n_binders);
  }
};

// A loss of `F`: Python writes `reduction="none"`, the operation wants a number.
struct Loss : SugaredValue {
  explicit Loss(std::string name) : name(std::move(name)) {}
  std::string kind() const override {
    return "function";
  }
  std::shared_ptr<SugaredValue> call(
      const SourceRange& at,
      GraphFunction& function,
      at::ArrayRef<NamedValue> args,
      at::ArrayRef<NamedValue> kwargs,
      size_t n_binders) override {
    static const std::unordered_map<std::string, int64_t> reductions = {
        {"none", at::Reduction::None}, {"mean", at::Reduction::Mean}, {"sum", at::Reduction::Sum}};
    std::vector<NamedValue> changed(kwargs.begin(), kwargs.end());
    for (auto& argument : changed) {
      auto word = argument.name() == "reduction" ? toIValue(argument.value(*function.graph()))
                                                 : std::nullopt;
      if (word && word->isString()) {
        auto found = reductions.find(word->toStringRef());
        if (found != reductions.end()) {
          argument = NamedValue("reduction", c10::IValue(found->second));
        }
      }
    }
    return operation(name)->call(at, function, args, changed, n_binders);
  }
  std::string name;
};

struct Functional : SugaredValue {
  std::string kind() const override {
    return "module";
  }
  std::shared_ptr<SugaredValue> attr(
      const SourceRange&,
      GraphFunction&,
      const std::string& field) override {
    if (field == "embedding") {
      return std::make_shared<Embedding>();
    }
    static const std::unordered_map<std::string, std::string> losses = {
        {"cross_entropy", "cross_entropy_loss"},
        {"binary_cross_entropy", "binary_cross_entropy"},
        {"binary_cross_entropy_with_logits", "binary_cross_entropy_with_logits"},
        {"huber_loss", "huber_loss"},
        {"kl_div", "kl_div"},
        {"l1_loss", "l1_loss"},
        {"mse_loss", "mse_loss"},
        {"smooth_l1_loss", "smooth_l1_loss"}};
    if (auto found = losses.find(field); found != losses.end()) {
      return std::make_shared<Loss>(found->second);
    }
    return operation(field);
  }
};

// `torch.nn`, which holds nothing but `functional`.
struct Nn : SugaredValue {
  std::string kind() const override {
    return "module";
  }
  std::shared_ptr<SugaredValue> attr(
      const SourceRange& at,
      GraphFunction& function,
      const std::string& field) override {
    if (field == "functional") {
      return std::make_shared<Functional>();
    }
    return SugaredValue::attr(at, function, field);
  }
};

// `torch.linalg.norm` is the operation `linalg_norm`; `torch.autograd.grad` is `grad`.
struct Prefixed : SugaredValue {
  explicit Prefixed(std::string name)
      : prefix(name == "autograd" ? "" : name + "_") {}
  std::string kind() const override {
    return "module";
  }
  std::shared_ptr<SugaredValue> attr(
      const SourceRange&,
      GraphFunction&,
      const std::string& field) override {
    return operation(prefix + field);
  }
  std::string prefix;
};

struct Torch : SugaredValue {
  std::string kind() const override {
    return "module";
  }
  std::shared_ptr<SugaredValue> attr(
      const SourceRange&,
      GraphFunction& function,
      const std::string& field) override {
    if (field == "nn") {
      return std::make_shared<Nn>();
    }
    if (field == "autograd" || field == "linalg" || field == "special" || field == "fft") {
      return std::make_shared<Prefixed>(field);
    }
    if (auto found = kinds().find(field); found != kinds().end()) {
      return constant(function, static_cast<int64_t>(found->second));
    }
    if (auto found = numbers().find(field); found != numbers().end()) {
      return constant(function, found->second);
    }
    return operation(field);
  }
};

struct Names : Resolver {
  std::shared_ptr<SugaredValue> resolveValue(
      const std::string& name,
      GraphFunction&,
      const SourceRange&) override {
    if (name == "torch" || name == "math") {
      return std::make_shared<Torch>();
    }
    if (name == "F") {
      return std::make_shared<Functional>();
    }
    if (name == "ValueError" || name == "RuntimeError" || name == "Exception") {
      return std::make_shared<ExceptionValue>(name);
    }
    return nullptr;
  }
  c10::TypePtr resolveType(const std::string&, const SourceRange&) override {
    return nullptr;
  }
};

} // namespace

ResolverPtr ky_names() {
  return std::make_shared<Names>();
}
