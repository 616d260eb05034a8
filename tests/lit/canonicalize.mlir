// A flatten before a linear layer costs nothing: the layer reads the image itself. Elementwise layers move before the
// flatten, so that the two meet.
// RUN: sylvite-opt "%s" --canonicalize | FileCheck "%s"

#zero = 0.0 : f64
!image = tensor<2x3x3x4xf32, "batch">
!vector = tensor<2x36xf32, "batch">
!logits = tensor<2x5xf32, "batch">
!weight = tensor<5x36xf32>

// CHECK-LABEL: nn.program @flatten_before_linear
nn.program @flatten_before_linear attributes {batch = 2 : i64, slices = 2 : i64, optimizer = {}} {
  // CHECK: %[[IMAGE:.*]] = nn.input
  %image = nn.input : !image
  // CHECK-NOT: nn.flatten
  %flat = nn.flatten %image : (!image) -> !vector
  %weight = nn.variable "weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight
  // CHECK: nn.linear %[[IMAGE]], %{{.*}} {bias = false, flatten_input, units = 5 : i64} : (tensor<2x3x3x4xf32,
  // CHECK-SAME: "batch">,
  %logits = nn.linear %flat, %weight {units = 5 : i64, bias = false} : (!vector, !weight) -> !logits
  nn.return logits %logits : !logits
}

// CHECK-LABEL: nn.program @flatten_of_a_vector
nn.program @flatten_of_a_vector attributes {batch = 2 : i64, slices = 2 : i64, optimizer = {}} {
  // CHECK: %[[VECTOR:.*]] = nn.input
  %vector = nn.input : !vector
  %flat = nn.flatten %vector : (!vector) -> !vector
  %weight = nn.variable "weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight
  // CHECK: nn.linear %[[VECTOR]], %{{.*}} {bias = false, units = 5 : i64}
  %logits = nn.linear %flat, %weight {units = 5 : i64, bias = false} : (!vector, !weight) -> !logits
  nn.return logits %logits : !logits
}

// CHECK-LABEL: nn.program @relu_between
nn.program @relu_between attributes {batch = 2 : i64, slices = 2 : i64, optimizer = {}} {
  // CHECK: %[[IMAGE:.*]] = nn.input
  %image = nn.input : !image
  %flat = nn.flatten %image : (!image) -> !vector
  // CHECK-NOT: nn.flatten
  // CHECK-DAG: %[[RELU:.*]] = nn.relu %[[IMAGE]] : (tensor<2x3x3x4xf32, "batch">)
  %relu = nn.relu %flat : (!vector) -> !vector
  %weight = nn.variable "weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight
  // CHECK: nn.linear %[[RELU]], %{{.*}} {bias = false, flatten_input, units = 5 : i64}
  %logits = nn.linear %relu, %weight {units = 5 : i64, bias = false} : (!vector, !weight) -> !logits
  nn.return logits %logits : !logits
}

// Where the order of the features can be observed, the flatten stays.
// CHECK-LABEL: nn.program @observed
nn.program @observed attributes {batch = 2 : i64, slices = 2 : i64, optimizer = {}} {
  %image = nn.input : !image
  // CHECK: %[[FLAT:.*]] = nn.flatten
  %flat = nn.flatten %image : (!image) -> !vector
  // CHECK: nn.return logits %[[FLAT]]
  nn.return logits %flat : !vector
}

// A reshape to a vector counts C, H, W as a flatten does; one to the same shape is nothing.
// CHECK-LABEL: nn.program @reshape_to_vector
nn.program @reshape_to_vector attributes {batch = 2 : i64, slices = 2 : i64, optimizer = {}} {
  %image = nn.input : !image
  // CHECK-NOT: nn.reshape
  // CHECK: %[[FLAT:.*]] = nn.flatten
  %same = nn.reshape %image {shape = array<i64: 3, 3, 4>} : (!image) -> !image
  %flat = nn.reshape %same {shape = array<i64: 36>} : (!image) -> !vector
  // CHECK: nn.return logits %[[FLAT]]
  nn.return logits %flat : !vector
}
