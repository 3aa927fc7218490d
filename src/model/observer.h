#pragma once

#include "base/view.h"
#include "model/checkpoint.h"

namespace nibble {

// Sees what enters each linear layer: the only seam between running a model and calibrating one.
class Observer {
 public:
  virtual ~Observer() = default;
  // x: [tokens, inputs]. Layers that share their input (q, k, v; gate, up) are reported one by one.
  virtual void linear_input(const CheckpointTensor& weight, MatView<const float> x) = 0;
};

}  // namespace nibble
