// Operations over lists of tensors, and the switches of libtorch that tch does not bind.
#include "shim.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/version.h>

#include <dlfcn.h>

#include <algorithm>

namespace {

// Does what a list of gradients still has to be multiplied by. The fused updates read numbers as they lie, so
// gradients have to lie as parameters do.
void settle(KyList& gradients) {
  for (auto& gradient : gradients.tensors) {
    gradient = gradient.contiguous();
  }
  if (gradients.factor != 1) {
    gradients.tensors = at::_foreach_mul(gradients.tensors, gradients.factor);
    gradients.factor = 1;
  }
}

} // namespace

extern "C" {

// Finds CUDA if it lies beside libtorch or on the library path; it is never linked.
bool ky_load_cuda() {
  return dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr;
}

const char* ky_torch_version() {
  return TORCH_VERSION;
}

char* ky_cpu_capability() {
  return ky_text(at::get_cpu_capability());
}

// For the calling thread (the executor's switch is local to it) and the process.
char* ky_prepare() {
  return ky_try([] {
    ky_keep_memory();
    // Programs run as written, operation by operation: equal to eager mode to the last bit.
    torch::jit::setGraphExecutorOptimize(false);
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
    at::globalContext().setBenchmarkCuDNN(false);
  });
}

// The generators of every device.
char* ky_seed(uint64_t seed) {
  return ky_try([&] { at::manual_seed(seed); });
}

// The whole state of the generator of a device: a byte tensor.
char* ky_generator_state(bool cuda, tensor* out) {
  return ky_try([&] {
    const auto& generator =
        at::globalContext().defaultGenerator(cuda ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU));
    *out = new at::Tensor(generator.get_state());
  });
}

char* ky_generator_restore(bool cuda, tensor state) {
  return ky_try([&] {
    auto generator =
        at::globalContext().defaultGenerator(cuda ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU));
    generator.set_state(*state);
  });
}

KyList* ky_list(tensor* tensors, size_t count) {
  auto list = new KyList;
  list->tensors.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    list->tensors.push_back(*tensors[i]);
  }
  return list;
}

void ky_list_free(KyList* list) {
  delete list;
}

KyList* ky_list_pick(const KyList* list, const size_t* indices, size_t count) {
  auto picked = new KyList;
  picked->factor = list->factor;
  picked->tensors.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    picked->tensors.push_back(list->tensors[indices[i]]);
  }
  return picked;
}

// Gradients of `loss`; a parameter that it does not depend on has a gradient of zeros.
char* ky_gradients(tensor loss, const KyList* parameters, KyList* out) {
  return ky_try([&] {
    std::vector<at::Tensor> found;
    if (!ky_backward(*loss, *parameters, found)) {
      found = torch::autograd::grad(
          {*loss}, parameters->tensors, {}, /*retain_graph=*/false,
          /*create_graph=*/false, /*allow_unused=*/true);
    }
    for (size_t i = 0; i < found.size(); ++i) {
      if (!found[i].defined()) {
        found[i] = at::zeros_like(parameters->tensors[i]);
      }
    }
    out->tensors = std::move(found);
  });
}

// Scales the list so that its norm is at most `limit`, without reading the norm back from a GPU.
char* ky_clip(KyList* gradients, double limit) {
  return ky_try([&] {
    c10::NoGradGuard no_grad;
    if (ky_plain(gradients->tensors)) {
      gradients->factor *= std::min(limit / (ky_plain_norm(gradients->tensors) + 1e-6), 1.0);
      return;
    }
    auto norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients->tensors, 2)), 2);
    auto factor = at::clamp_max(limit / (norm + 1e-6), 1.0);
    gradients->tensors = at::_foreach_mul(gradients->tensors, factor);
  });
}

char* ky_adam(
    KyList* parameters,
    KyList* gradients,
    KyList* first,
    KyList* second,
    KyList* steps,
    const KyAdam* with) {
  return ky_try([&] {
    c10::NoGradGuard no_grad;
    if (ky_plain(parameters->tensors) && ky_plain(gradients->tensors)) {
      ky_plain_adam(
          parameters->tensors, *gradients, first->tensors, second->tensors, steps->tensors, *with);
      return;
    }
    settle(*gradients);
    at::_foreach_add_(steps->tensors, 1);
    if (with->decoupled) {
      at::_fused_adamw_(
          parameters->tensors, gradients->tensors, first->tensors, second->tensors, {},
          steps->tensors, with->lr, with->beta1, with->beta2, with->weight_decay,
          with->epsilon, /*amsgrad=*/false, /*maximize=*/false);
    } else {
      at::_fused_adam_(
          parameters->tensors, gradients->tensors, first->tensors, second->tensors, {},
          steps->tensors, with->lr, with->beta1, with->beta2, with->weight_decay,
          with->epsilon, /*amsgrad=*/false, /*maximize=*/false);
    }
  });
}

// Plain gradient descent with momentum and coupled weight decay.
char* ky_sgd(
    KyList* parameters,
    KyList* gradients,
    KyList* momenta,
    double lr,
    double momentum,
    double weight_decay) {
  return ky_try([&] {
    c10::NoGradGuard no_grad;
    settle(*gradients);
    // Without momentum there is nothing to remember, and libtorch insists on an empty list.
    const auto kept = momentum == 0.0 ? std::vector<at::Tensor>() : momenta->tensors;
    at::_fused_sgd_(
        parameters->tensors, gradients->tensors, kept, weight_decay, momentum, lr,
        /*dampening=*/0.0, /*nesterov=*/false, /*maximize=*/false,
        /*is_first_step=*/false);
  });
}

// to := to + weight (from - to)
char* ky_lerp(KyList* to, const KyList* from, double weight) {
  return ky_try([&] {
    c10::NoGradGuard no_grad;
    at::_foreach_lerp_(to->tensors, from->tensors, weight);
  });
}

char* ky_copy(KyList* to, const KyList* from) {
  return ky_try([&] {
    c10::NoGradGuard no_grad;
    at::_foreach_copy_(to->tensors, from->tensors);
  });
}

} // extern "C"
