// The update of parameters on a CPU: the norm of the gradients and Adam, each in one pass and without
// an operation of libtorch. At small sizes those are a fifth of a step. The arithmetic is plain f32 in one
// order, so neither the number of threads nor the instruction set changes a bit of it.
#include "shim.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

// One source, compiled for each width of vectors; which is taken is found when the process starts.
#if defined(__x86_64__) && defined(__linux__)
#define KY_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KY_WIDE
#endif

namespace {

// Numbers that are summed before their sum goes on in f64; also what one thread takes at a time.
constexpr int64_t kBlock = 1 << 14;
constexpr int kLanes = 16;

KY_WIDE double squares(const float* numbers, int64_t count) {
  float lanes[kLanes] = {};
  int64_t at = 0;
  for (; at + kLanes <= count; at += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      lanes[lane] += numbers[at + lane] * numbers[at + lane];
    }
  }
  double sum = 0;
  for (; at < count; ++at) {
    sum += static_cast<double>(numbers[at]) * numbers[at];
  }
  for (float lane : lanes) {
    sum += lane;
  }
  return sum;
}

// What is the same for every number of a step.
struct Step {
  float factor;
  float kept;
  float coupled;
  float first;
  float second;
  float size;
  float root;
  float epsilon;
};

KY_WIDE void adam(
    float* __restrict__ weight,
    const float* __restrict__ gradient,
    float* __restrict__ first,
    float* __restrict__ second,
    int64_t count,
    const Step step) {
  for (int64_t at = 0; at < count; ++at) {
    const float slope = gradient[at] * step.factor + step.coupled * weight[at];
    const float mean = first[at] + (slope - first[at]) * step.first;
    const float spread = second[at] + (slope * slope - second[at]) * step.second;
    first[at] = mean;
    second[at] = spread;
    weight[at] = weight[at] * step.kept - step.size * mean / (std::sqrt(spread) / step.root + step.epsilon);
  }
}

} // namespace

bool ky_plain(const std::vector<at::Tensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [](const at::Tensor& tensor) {
    return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.layout() == at::kStrided;
  });
}

double ky_plain_squares(const float* numbers, int64_t count) {
  double sum = 0;
  for (int64_t at = 0; at < count; at += kBlock) {
    sum += squares(numbers + at, std::min(kBlock, count - at));
  }
  return sum;
}

double ky_plain_norm(std::vector<at::Tensor>& tensors) {
  double sum = 0;
  for (auto& tensor : tensors) {
    tensor = tensor.contiguous();
    const float* numbers = tensor.const_data_ptr<float>();
    const int64_t count = tensor.numel();
    std::vector<double> sums((count + kBlock - 1) / kBlock);
    at::parallel_for(0, sums.size(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        sums[block] = squares(numbers + block * kBlock, std::min(kBlock, count - block * kBlock));
      }
    });
    for (double part : sums) {
      sum += part;
    }
  }
  return std::sqrt(sum);
}

void ky_plain_adam(
    std::vector<at::Tensor>& parameters,
    const KyList& gradients,
    std::vector<at::Tensor>& first,
    std::vector<at::Tensor>& second,
    std::vector<at::Tensor>& steps,
    const KyAdam& with) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    float* done = steps[i].mutable_data_ptr<float>();
    *done += 1;
    Step step;
    step.factor = static_cast<float>(gradients.factor);
    step.kept = static_cast<float>(with.decoupled ? 1 - with.lr * with.weight_decay : 1);
    step.coupled = static_cast<float>(with.decoupled ? 0 : with.weight_decay);
    step.first = static_cast<float>(1 - with.beta1);
    step.second = static_cast<float>(1 - with.beta2);
    step.size = static_cast<float>(with.lr / (1 - std::pow(with.beta1, *done)));
    step.root = static_cast<float>(std::sqrt(1 - std::pow(with.beta2, *done)));
    step.epsilon = static_cast<float>(with.epsilon);
    const auto gradient = gradients.tensors[i].contiguous();
    float* weight = parameters[i].mutable_data_ptr<float>();
    const float* slope = gradient.const_data_ptr<float>();
    float* mean = first[i].mutable_data_ptr<float>();
    float* spread = second[i].mutable_data_ptr<float>();
    at::parallel_for(0, gradient.numel(), kBlock, [&](int64_t begin, int64_t end) {
      adam(weight + begin, slope + begin, mean + begin, spread + begin, end - begin, step);
    });
    parameters[i].unsafeGetTensorImpl()->bump_version();
  }
}
