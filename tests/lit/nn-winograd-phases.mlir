// The backward pass of Winograd's products, in one phase: what has just been written is read next, and the sums over a
// slice's tiles become gradients of the weights before they leave it.
// RUN: sylvite-opt "%s" --split-input-file --nn-winograd --nn-fuse --nn-differentiate --nn-update --nn-phases --nn-plan-memory | FileCheck "%s"

#zero = 0.0 : f64
!image = tensor<64x14x14x32xf32, "batch">
!maps = tensor<64x14x14x64xf32, "batch">
!a = tensor<32x32x3x3xf32>
!b = tensor<64x32x3x3xf32>

// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 64 : i64, slices = 16 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.1 : f64, momentum = 0.0 : f64, weight_decay = 0.0 : f64}} {
  %x = nn.input : !image
  %a = nn.variable "a.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !a
  %b = nn.variable "b.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !b
  %image = nn.identity %x : (!image) -> !image
  %conv1 = nn.conv2d %image, %a {filters = 32 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                 bias = false} : (!image, !a) -> !image
  %conv2 = nn.conv2d %conv1, %b {filters = 64 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                 bias = false, nn.algorithm = "winograd_4x4"} : (!image, !b) -> !maps
  nn.return loss %conv2 : !maps
}
// The images' transforms are made again right before the product that reads them.
// CHECK: nn.region "winograd_input.forward"{{.*}}nn.again
// CHECK: nn.region "winograd_output.grad_input"
// Parts of a sum that no other phase reads lie in the thread's block.
// CHECK: nn.region "winograd_product.grad_weight"{{.*}}axis = "batch", buffer = {base = "local", bytes = 295040 : i64,
// CHECK: nn.region "winograd_weight.grad_input"{{.*}}axis = "batch", buffer = {base = "scratch", bytes = 1179648 :
// CHECK: nn.region "winograd_product.grad_input"
// 14 pixels with one of padding before them lie under 4 blocks of 4.
// CHECK: nn.region "winograd_input.grad_input"{{.*}} halo_after = array<i64: 1, 1, 0>, halo_before = array<i64: 1, 1, 0>,
// CHECK: nn.region "conv2d.grad_weight"

// -----

#zero = 0.0 : f64
!image = tensor<1x32x32x64xf32, "batch">
!w = tensor<64x64x3x3xf32>

// One image: all but the copy at its start is cut, along filters, rows or frequencies.
// CHECK-LABEL: nn.program @predict
nn.program @predict attributes {batch = 1 : i64, slices = 1 : i64, optimizer = {}} {
  %x = nn.input : !image
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: nn.region "winograd_weight.forward"{{.*}}axis = "output"{{.*}}phase = 0 : i64, tasks = 4 : i64
  // CHECK: nn.region "identity.forward"{{.*}}axis = "row"{{.*}}phase = 1 : i64, tasks = 4 : i64
  // CHECK: nn.region "winograd_input.forward"{{.*}}axis = "row"{{.*}}phase = 2 : i64, tasks = 8 : i64
  // CHECK: nn.region "winograd_product.forward"{{.*}}axis = "frequency"{{.*}}phase = 3 : i64, tasks = 36 : i64
  // CHECK: nn.region "winograd_output.forward"{{.*}}axis = "row"{{.*}}phase = 4 : i64, tasks = 8 : i64
  %image = nn.identity %x : (!image) -> !image
  %conv = nn.conv2d %image, %w {filters = 64 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                bias = false, nn.algorithm = "winograd_4x4"} : (!image, !w) -> !image
  %prediction = nn.relu %conv : (!image) -> !image
  nn.return prediction %prediction : !image
}

// -----

#zero = 0.0 : f64
!image = tensor<2x64x64x32xf32, "batch">
!w = tensor<32x32x3x3xf32>

// Few images: each task takes rows of one through a phase. The weights' gradient is summed over the batch at once.
// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 2 : i64, slices = 2 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.1 : f64, momentum = 0.0 : f64, weight_decay = 0.0 : f64}} {
  %x = nn.input : !image
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: nn.region "winograd_input.forward"{{.*}}axis = "row", buffer = {base = "local",{{.*}}phase = [[FIRST:[0-9]+]] : i64, tasks = 8 : i64
  // CHECK: nn.region "winograd_product.forward"{{.*}}axis = "row", buffer = {base = "local",{{.*}}phase = [[FIRST]] : i64, tasks = 8 : i64
  // CHECK: nn.region "winograd_output.forward"{{.*}}axis = "row"{{.*}}phase = [[FIRST]] : i64, tasks = 8 : i64
  // CHECK: nn.region "winograd_product.grad_weight"{{.*}}axis = "frequency"{{.*}}tasks = 36 : i64
  %image = nn.identity %x : (!image) -> !image
  %conv = nn.conv2d %image, %w {filters = 32 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                bias = false, nn.algorithm = "winograd_4x4"} : (!image, !w) -> !image
  %maps = nn.relu %conv : (!image) -> !image
  nn.return loss %maps : !image
}

// -----

#zero = 0.0 : f64
!image = tensor<32x8x8x64xf32, "batch">
!maps = tensor<32x8x8x128xf32, "batch">
!a = tensor<64x64x3x3xf32>
!b = tensor<128x64x3x3xf32>

// Weights that 16 slices would read from memory, beside 4 tiles of an image: each frequency of the whole batch is a task, and a
// frequency's gradient one sum.
// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 32 : i64, slices = 16 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.1 : f64, momentum = 0.0 : f64, weight_decay = 0.0 : f64}} {
  %x = nn.input : !image
  %a = nn.variable "a.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !a
  %b = nn.variable "b.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !b
  %image = nn.identity %x : (!image) -> !image
  %conv1 = nn.conv2d %image, %a {filters = 64 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                 bias = false} : (!image, !a) -> !image
  %conv2 = nn.conv2d %conv1, %b {filters = 128 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                 bias = false, nn.algorithm = "winograd_4x4"} : (!image, !b) -> !maps
  nn.return loss %conv2 : !maps
}
// CHECK: nn.region "winograd_input.forward"{{.*}}axis = "batch", {{.*}}tasks = 16 : i64
// CHECK: nn.region "winograd_product.forward"{{.*}}axis = "frequency", {{.*}}tasks = 36 : i64
// CHECK: nn.region "winograd_product.grad_input"{{.*}}axis = "frequency", {{.*}}tasks = 36 : i64
// CHECK: nn.region "winograd_product.grad_weight"{{.*}}axis = "frequency", buffer = {base = "scratch", bytes = 1179776 : i64, {{.*}}tasks = 36 : i64
// CHECK: nn.region "winograd_output.forward"{{.*}}axis = "batch", {{.*}}tasks = 16 : i64
