// A convolution of the training program becomes transforms and products of tiles where its algorithm says so; others,
// and those that the form does not fit, stay. The attribute goes away.
// RUN: sylvite-opt "%s" --split-input-file --nn-winograd | FileCheck "%s"

#zero = 0.0 : f64
!image = tensor<4x7x6x3xf32, "batch">
!maps = tensor<4x7x6x8xf32, "batch">
!w = tensor<8x3x3x3xf32>
!bias = tensor<8xf32>

// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %image = nn.input : !image
  // CHECK: %[[W:.*]] = nn.variable "conv.weight"
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  %b = nn.variable "conv.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !bias
  // CHECK: %[[U:.*]] = nn.winograd_weight %[[W]] {tile = 4 : i64} : (tensor<8x3x3x3xf32>) -> tensor<8x3x6x6xf32>
  // CHECK: %[[V:.*]] = nn.winograd_input %{{.*}} {padding = array<i64: 1, 1, 1, 1>, {{.*}}tiles = array<i64: 2, 2>, window = array<i64: 6, 6>} : (tensor<4x7x6x3xf32, "batch">) -> tensor<4x12x12x3xf32, "batch">
  // CHECK: %[[M:.*]] = nn.winograd_product %[[V]], %[[U]] {{.*}} -> tensor<4x12x12x8xf32, "batch">
  // CHECK: nn.winograd_output %[[M]], %{{.*}} {{.*}} -> tensor<4x7x6x8xf32, "batch">
  %conv = nn.conv2d %image, %w, %b {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                    nn.algorithm = "winograd_4x4"} : (!image, !w, !bias) -> !maps
  // CHECK: nn.conv2d
  // CHECK-NOT: nn.algorithm
  %direct = nn.conv2d %image, %w, %b {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>}
    : (!image, !w, !bias) -> !maps
  nn.return logits %conv : !maps prediction %direct : !maps
}

// -----

#zero = 0.0 : f64
!image = tensor<4x7x7x3xf32, "batch">
!maps = tensor<4x4x4x8xf32, "batch">
!w = tensor<8x3x3x3xf32>

// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %image = nn.input : !image
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: nn.conv2d {{.*}}stride = array<i64: 2, 2>
  // CHECK-NOT: nn.algorithm
  %conv = nn.conv2d %image, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                stride = array<i64: 2, 2>, bias = false, nn.algorithm = "winograd_2x2"} : (!image, !w) -> !maps
  nn.return prediction %conv : !maps
}

// -----

// Tiles of 5 under windows of 3 have 7 frequencies along an axis, tiles of 6 under windows of 5 would have 10.

#zero = 0.0 : f64
!image = tensor<4x14x10x3xf32, "batch">
!maps = tensor<4x14x10x8xf32, "batch">
!w = tensor<8x3x3x3xf32>
!wide = tensor<8x8x5x5xf32>

// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %image = nn.input : !image
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  %v = nn.variable "wide.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !wide
  // CHECK: nn.winograd_weight {{.*}}{tile = 5 : i64} : (tensor<8x3x3x3xf32>) -> tensor<8x3x7x7xf32>
  // CHECK: nn.winograd_input {{.*}}tiles = array<i64: 3, 2>, window = array<i64: 7, 7>{{.*}} -> tensor<4x21x14x3xf32, "batch">
  %conv = nn.conv2d %image, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>, bias = false,
                                nn.algorithm = "winograd_5x5"} : (!image, !w) -> !maps
  // CHECK: nn.conv2d {{.*}}kernel = array<i64: 5, 5>
  %direct = nn.conv2d %conv, %v {filters = 8 : i64, kernel = array<i64: 5, 5>, padding = array<i64: 2, 2, 2, 2>, bias = false,
                                 nn.algorithm = "winograd_6x6"} : (!maps, !wide) -> !maps
  nn.return prediction %direct : !maps
}

// -----

// Along three axes: tiles along x and y; the product sums over the taps along z, whose padding is its own.

#zero = 0.0 : f64
!image = tensor<4x3x7x6x8xf32, "batch">
!maps = tensor<4x4x7x6x16xf32, "batch">
!w = tensor<16x8x2x3x3xf32>

// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %image = nn.input : !image
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: nn.winograd_weight %{{.*}} -> tensor<16x8x2x6x6xf32>
  // CHECK: nn.winograd_input %{{.*}} {padding = array<i64: 0, 0, 1, 1, 1, 1>, {{.*}}tiles = array<i64: 3, 2, 2>, window = array<i64: 1, 6, 6>} {{.*}} -> tensor<4x3x12x12x8xf32, "batch">
  // CHECK: nn.winograd_product %{{.*}} {padding = array<i64: 1, 1, 0, 0, 0, 0>, {{.*}}tiles = array<i64: 4, 2, 2>, window = array<i64: 2, 6, 6>} {{.*}} -> tensor<4x4x12x12x16xf32, "batch">
  // CHECK: nn.winograd_output %{{.*}} -> tensor<4x4x7x6x16xf32, "batch">
  %conv = nn.conv3d %image, %w {filters = 16 : i64, kernel = array<i64: 2, 3, 3>, padding = array<i64: 1, 1, 1, 1, 1, 1>,
                                bias = false, nn.algorithm = "winograd_4x4"} : (!image, !w) -> !maps
  nn.return prediction %conv : !maps
}
