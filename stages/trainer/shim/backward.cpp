// The gradients of a loss on the CPU: libtorch's own derivatives, called in the order in which its engine
// calls them, so to the same last bit, but without the engine. That one sets and restores the state of the
// thread around every derivative, locks, and looks nodes up: at small sizes three tenths of a step. What it
// serves for (devices, threads, hooks, graphs of which only a part is wanted) is left to it.
#include "shim.h"

#include <c10/core/GradMode.h>
#include <c10/util/flat_hash_map.h>
#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/input_buffer.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <string>
#include <utility>

using torch::autograd::Edge;
using torch::autograd::InputBuffer;
using torch::autograd::Node;
using torch::autograd::variable_list;

namespace {

// An operation of the forward pass, seen from its result.
struct Visit {
  Node* node = nullptr;
  // Whether it stands for a parameter, where gradients stay.
  bool leaf = false;
  // Gradients that are still to come.
  int64_t waits = 0;
  variable_list gradients;

  Visit(Node* node, bool leaf) : node(node), leaf(leaf) {}
};

struct Graph {
  ska::flat_hash_map<Node*, size_t> places;
  std::vector<Visit> visits;
  // The ready ones, as a heap: of the operations that may go, the one that was called last.
  std::vector<std::pair<uint64_t, size_t>> ready;

  void clear() {
    places.clear();
    visits.clear();
    ready.clear();
  }

  void push(size_t place) {
    ready.emplace_back(visits[place].node->sequence_nr(), place);
    std::push_heap(ready.begin(), ready.end());
  }

  size_t pop() {
    std::pop_heap(ready.begin(), ready.end());
    const size_t place = ready.back().second;
    ready.pop_back();
    return place;
  }
};

bool plain(Node* node) {
  return node->pre_hooks().empty() && node->post_hooks().empty() && node->tensor_pre_hooks().empty() &&
      node->retains_grad_hooks().empty();
}

// Finds everything that `root` was made from. False if there is something that is the engine's to do.
bool discover(Node* root, const KyList& parameters, Graph& graph) {
  for (const auto& leaf : parameters.leaves) {
    graph.places.emplace(leaf.get(), graph.visits.size());
    graph.visits.emplace_back(leaf.get(), true);
  }
  if (!graph.places.emplace(root, graph.visits.size()).second) {
    return false;
  }
  graph.visits.emplace_back(root, false);
  for (size_t at = graph.visits.size() - 1; at < graph.visits.size(); ++at) {
    Node* node = graph.visits[at].node;
    // A leaf that is not asked for is a parameter of another network.
    if (node->next_edges().empty() || !plain(node)) {
      return false;
    }
    for (const Edge& edge : node->next_edges()) {
      if (!edge.is_valid()) {
        continue;
      }
      auto [found, is_new] = graph.places.emplace(edge.function.get(), graph.visits.size());
      if (is_new) {
        graph.visits.emplace_back(edge.function.get(), false);
      }
      ++graph.visits[found->second].waits;
    }
  }
  return true;
}

// Adds a gradient to what came before it for the same result.
void add(variable_list& gradients, const Edge& edge, at::Tensor&& gradient) {
  if (gradients.empty()) {
    gradients.resize(edge.function->num_inputs());
  }
  auto& place = gradients[edge.input_nr];
  if (!place.defined()) {
    place = std::move(gradient);
    return;
  }
  InputBuffer sum(std::move(gradients));
  sum.add(edge.input_nr, std::move(gradient), std::nullopt, std::nullopt, edge.function.get());
  gradients = std::move(sum.buffer);
}

} // namespace

bool ky_backward(const at::Tensor& loss, const KyList& parameters, std::vector<at::Tensor>& found) {
  auto root = loss.grad_fn();
  if (!root || !loss.is_cpu() || loss.numel() != 1 || !at::isFloatingType(loss.scalar_type())) {
    return false;
  }
  if (parameters.leaves.empty()) {
    // Kept from now on: libtorch makes one anew for every step else.
    for (const auto& parameter : parameters.tensors) {
      parameters.leaves.push_back(torch::autograd::impl::grad_accumulator(parameter));
    }
  }
  // Its memory is kept from step to step.
  thread_local Graph graph;
  graph.clear();
  if (!discover(root.get(), parameters, graph)) {
    return false;
  }
  c10::AutoGradMode no_grad(false);
  const size_t start = parameters.leaves.size();
  add(graph.visits[start].gradients, Edge(root, loss.output_nr()), at::ones_like(loss));
  graph.push(start);
  while (!graph.ready.empty()) {
    const size_t place = graph.pop();
    Node* node = graph.visits[place].node;
    auto gradients = (*node)(std::move(graph.visits[place].gradients));
    const auto& edges = node->next_edges();
    torch::autograd::validate_outputs(edges, gradients, [node](const std::string& what) {
      return "Function " + node->name() + " returned an " + what;
    });
    node->release_variables();
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (!edges[i].is_valid()) {
        continue;
      }
      const size_t next = graph.places.find(edges[i].function.get())->second;
      Visit& visit = graph.visits[next];
      if (gradients[i].defined()) {
        add(visit.gradients, edges[i], std::move(gradients[i]));
      }
      if (--visit.waits == 0 && !visit.leaf) {
        visit.gradients.resize(visit.node->num_inputs());
        graph.push(next);
      }
    }
  }
  found.resize(parameters.tensors.size());
  for (size_t i = 0; i < start; ++i) {
    auto& gradients = graph.visits[i].gradients;
    found[i] = gradients.empty() ? at::Tensor() : std::move(gradients[0]);
  }
  graph.clear();
  return true;
}
