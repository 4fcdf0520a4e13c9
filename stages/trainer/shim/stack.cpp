// Several seeds of one training as one computation: the program's loss under functorch's vmap, which gives
// every operation a dimension more. Random operations run seed by seed, each from its seed's generator, so
// that every seed draws what it draws alone. What vmap cannot do throws, and the caller trains seed by seed.
#include "shim.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/functorch/BatchedTensorImpl.h>
#include <ATen/functorch/DynamicLayer.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace functorch = at::functorch;
using c10::DispatchKey;
using torch::jit::Stack;

// The generators of the seeds, in their order.
struct KyStack {
  std::vector<at::Generator> generators;
};

namespace {

// The mode of the dispatcher that is ours: it sees an operation before functorch does.
constexpr DispatchKey kMode = DispatchKey::TESTING_ONLY_GenericMode;

// The stack whose program runs on this thread.
thread_local KyStack* running = nullptr;

const at::Generator& global_of(const at::Generator& generator) {
  return at::globalContext().defaultGenerator(generator.device());
}

// Copies where one generator is to another of the same kind.
void put(const at::Generator& from, const at::Generator& to) {
  auto* source = dynamic_cast<at::CPUGeneratorImpl*>(from.unsafeGetGeneratorImpl());
  auto* target = dynamic_cast<at::CPUGeneratorImpl*>(to.unsafeGetGeneratorImpl());
  if (source == nullptr || target == nullptr) {
    at::Generator copy = to;
    copy.set_state(from.get_state());
    return;
  }
  // Its state as a tensor would cost more than most draws.
  target->set_engine(source->engine());
  target->set_next_float_normal_sample(source->next_float_normal_sample());
  target->set_next_double_normal_sample(source->next_double_normal_sample());
}

// What of an argument is one seed's.
c10::IValue part(const c10::IValue& argument, int64_t seed) {
  if (!argument.isTensor() || !argument.toTensor().defined()) {
    return argument;
  }
  const at::Tensor& tensor = argument.toTensor();
  const auto* batched = functorch::maybeGetBatchedImpl(tensor);
  return batched == nullptr ? tensor : batched->value().select(batched->bdim(), seed);
}

// A random operation, seed by seed.
void draw(const c10::OperatorHandle& operation, c10::DispatchKeySet, Stack* stack) {
  const auto layer = functorch::maybeCurrentDynamicLayer();
  TORCH_CHECK(running != nullptr && layer.has_value(), "a random operation outside of a stack");
  c10::impl::ExcludeDispatchKeyGuard below(c10::DispatchKeySet(
      {kMode, DispatchKey::FuncTorchDynamicLayerFrontMode,
       DispatchKey::FuncTorchDynamicLayerBackMode, DispatchKey::FuncTorchVmapMode}));
  const auto arguments = torch::jit::pop(*stack, operation.schema().arguments().size());
  const bool changes = operation.schema().is_mutable();
  TORCH_CHECK(
      !changes || functorch::maybeGetBatchedImpl(arguments[0].toTensor()) != nullptr,
      operation.schema().name(), " would change a tensor that all seeds share");
  std::vector<at::Tensor> drawn;
  for (size_t seed = 0; seed < running->generators.size(); ++seed) {
    const at::Generator& own = running->generators[seed];
    Stack one;
    for (const auto& argument : arguments) {
      one.push_back(part(argument, static_cast<int64_t>(seed)));
    }
    put(own, global_of(own));
    operation.callBoxed(&one);
    put(global_of(own), own);
    drawn.push_back(one.back().toTensor());
  }
  stack->push_back(
      changes ? arguments[0] : functorch::makeBatched(at::stack(drawn), 0, layer->layerId()));
}

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, library) {
  library.fallback(torch::CppFunction::makeFallthrough());
}

// The random operations that programs may use (operations.txt). Any other throws under vmap.
TORCH_LIBRARY_IMPL(aten, TESTING_ONLY_GenericMode, library) {
  for (const char* name :
       {"rand", "randn", "randint", "randint.low", "randperm", "rand_like", "randn_like",
        "randint_like", "randint_like.low_dtype", "bernoulli", "bernoulli.p", "multinomial",
        "normal.Tensor_float", "normal.float_Tensor", "normal.Tensor_Tensor", "normal.float_float",
        "normal_", "uniform_", "random_", "random_.from", "random_.to", "bernoulli_.float",
        "exponential_", "dropout", "alpha_dropout", "feature_dropout"}) {
    library.impl(name, torch::CppFunction::makeFromBoxedFunction<&draw>());
  }
}

// As `ky_stack_clip`, of f32 on the CPU in two passes.
void clip_plain(std::vector<at::Tensor>& gradients, double limit) {
  std::vector<double> sums(gradients.empty() ? 0 : gradients[0].size(0));
  for (auto& gradient : gradients) {
    gradient = gradient.contiguous();
    const auto own = gradient.numel() / static_cast<int64_t>(sums.size());
    for (size_t seed = 0; seed < sums.size(); ++seed) {
      sums[seed] += ky_plain_squares(gradient.const_data_ptr<float>() + seed * own, own);
    }
  }
  for (auto& gradient : gradients) {
    const auto own = gradient.numel() / static_cast<int64_t>(sums.size());
    // Two parameters may have one tensor as their gradient, so it is not changed in place.
    const at::Tensor scaled = at::empty_like(gradient);
    for (size_t seed = 0; seed < sums.size(); ++seed) {
      const float* from = gradient.const_data_ptr<float>() + seed * own;
      float* to = scaled.mutable_data_ptr<float>() + seed * own;
      const auto factor =
          static_cast<float>(std::min(limit / (std::sqrt(sums[seed]) + 1e-6), 1.0));
      for (int64_t at = 0; at < own; ++at) {
        to[at] = from[at] * factor;
      }
    }
    gradient = scaled;
  }
}

// While it lives, operations of this thread are those of all seeds.
struct Layer {
  int64_t level;
  c10::impl::IncludeDispatchKeyGuard mode{kMode};

  explicit Layer(KyStack* stack) {
    const auto count = static_cast<int64_t>(stack->generators.size());
    level = functorch::initAndPushDynamicLayer(
        functorch::TransformType::Vmap, c10::SymInt(count), functorch::RandomnessType::Error);
    running = stack;
  }

  ~Layer() {
    running = nullptr;
    functorch::popDynamicLayerAndDeleteMetadata();
  }
};

} // namespace

extern "C" {

KyStack* ky_stack() {
  return new KyStack;
}

void ky_stack_free(KyStack* stack) {
  delete stack;
}

// One seed more; its generator goes on from where the device's is now.
char* ky_stack_add(KyStack* stack, bool cuda) {
  return ky_try([&] {
    const auto device = cuda ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
    stack->generators.push_back(at::globalContext().defaultGenerator(device).clone());
  });
}

// Calls a function that returns one number for every seed: [seeds]. The tensors of dictionaries have the
// seeds as their first dimension, all but those in `shared`.
char* ky_stack_call(
    KyStack* stack,
    KyProgram* program,
    const char* name,
    KyValue** arguments,
    size_t count,
    const KyList* shared,
    tensor* out) {
  return ky_try([&] {
    at::Tensor found;
    {
      Layer layer(stack);
      Stack values;
      for (size_t i = 0; i < count; ++i) {
        const c10::IValue& value = arguments[i]->value;
        if (!value.isGenericDict() || *value.toGenericDict().valueType() != *c10::TensorType::get()) {
          values.push_back(value);
          continue;
        }
        c10::Dict<std::string, at::Tensor> seen;
        for (const auto& entry :
             c10::impl::toTypedDict<std::string, at::Tensor>(value.toGenericDict())) {
          const at::Tensor& whole = entry.value();
          const bool common = std::any_of(
              shared->tensors.begin(), shared->tensors.end(),
              [&](const at::Tensor& other) { return other.is_same(whole); });
          seen.insert(entry.key(), common ? whole : functorch::makeBatched(whole, 0, layer.level));
        }
        values.push_back(seen);
      }
      const at::Tensor result = program->unit->get_function(name)(std::move(values)).toTensor();
      const auto* batched = functorch::maybeGetBatchedImpl(result);
      TORCH_CHECK(batched != nullptr, "`", name, "` returned the same for every seed");
      found = batched->value().movedim(batched->bdim(), 0);
    }
    const auto seeds = static_cast<int64_t>(stack->generators.size());
    TORCH_CHECK(found.numel() == seeds, "`", name, "` did not return one number for every seed");
    *out = new at::Tensor(found.reshape({seeds}));
  });
}

// Scales the gradients of every seed so that their common norm is at most `limit`.
char* ky_stack_clip(KyList* gradients, double limit) {
  return ky_try([&] {
    c10::NoGradGuard no_grad;
    if (ky_plain(gradients->tensors)) {
      clip_plain(gradients->tensors, limit);
      return;
    }
    std::vector<at::Tensor> norms;
    for (const auto& gradient : gradients->tensors) {
      norms.push_back(at::linalg_vector_norm(gradient.flatten(1), 2, at::IntArrayRef({1})));
    }
    const auto norm = at::linalg_vector_norm(at::stack(norms), 2, at::IntArrayRef({0}));
    const auto factor = at::clamp_max(limit / (norm + 1e-6), 1.0);
    for (auto& gradient : gradients->tensors) {
      std::vector<int64_t> shape(gradient.dim(), 1);
      shape[0] = gradient.size(0);
      gradient = gradient * factor.view(shape);
    }
  });
}

} // extern "C"
