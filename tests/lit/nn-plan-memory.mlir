// Every value gets a fixed place: base, offset and bytes, and its life in phases. Buffers whose lives do not overlap
// share bytes.
// RUN: sylvite-opt "%s" --split-input-file --nn-fuse --nn-differentiate --nn-update --nn-phases --nn-plan-memory \
// RUN:   | FileCheck "%s"
// RUN: sylvite-opt "%s" --split-input-file --nn-fuse --nn-differentiate --nn-update --nn-phases \
// RUN:   --nn-plan-memory=keep-gradients=true | FileCheck "%s" --check-prefix=KEEP

#zero = 0.0 : f64
!image = tensor<32x8x8x16xf32, "batch">
!w = tensor<16x16x5x5xf32>

// A chain of convolutions within one phase: 2 images a slice, in the thread's local block. Input and output of a kernel
// lie apart; the third value takes the place of the first.
// CHECK: module attributes {nn.local_bytes = 102656 : i64, nn.scratch_bytes = 0 : i64, nn.state_bytes = 76928 : i64}
// CHECK-LABEL: nn.program @predict
nn.program @predict attributes {batch = 32 : i64, slices = 16 : i64, optimizer = {}} {
  // CHECK: nn.input {buffer = {base = "input", bytes = 131072 : i64, offset = 0 : i64}}
  %x = nn.input : !image
  // Parameters lie in the state block, after its header of 128 bytes.
  // CHECK: nn.variable "a.weight" {buffer = {base = "state", bytes = 25600 : i64, offset = 128 : i64}
  %a = nn.variable "a.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: nn.variable "b.weight" {buffer = {base = "state", bytes = 25600 : i64, offset = 25728 : i64}
  %b = nn.variable "b.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: nn.variable "c.weight" {buffer = {base = "state", bytes = 25600 : i64, offset = 51328 : i64}
  %c = nn.variable "c.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // What a window reads beyond the image is a halo of zeros in the buffer: 2 images of 12x12 pixels of 64 bytes, and 64
  // bytes that vector loads may touch, in units of 128.
  // CHECK: nn.region "identity.forward"{{.*}} buffer = {base = "local", bytes = 18560 : i64,
  // CHECK-SAME: first = 0 : i64, halo_after = array<i64: 2, 2, 0>, halo_before = array<i64: 2, 2, 0>, last = 0 : i64,
  // CHECK-SAME: offset = 0 : i64}
  %image = nn.identity %x : (!image) -> !image
  // CHECK: nn.region "conv2d.forward"{{.*}} buffer = {base = "local", {{.*}} offset = 18560 : i64}
  %conv1 = nn.conv2d %image, %a {filters = 16 : i64, kernel = array<i64: 5, 5>, padding = array<i64: 2, 2, 2, 2>,
                                 bias = false} : (!image, !w) -> !image
  // CHECK: nn.region "conv2d.forward"{{.*}} buffer = {base = "local", {{.*}} offset = 0 : i64}
  %conv2 = nn.conv2d %conv1, %b {filters = 16 : i64, kernel = array<i64: 5, 5>, padding = array<i64: 2, 2, 2, 2>,
                                 bias = false} : (!image, !w) -> !image
  // The prediction goes to the caller's buffer, which has no halo.
  // CHECK: nn.region "conv2d.forward"{{.*}} buffer = {base = "output", bytes = 131072 : i64, offset = 0 : i64}
  %conv3 = nn.conv2d %conv2, %c {filters = 16 : i64, kernel = array<i64: 5, 5>, padding = array<i64: 2, 2, 2, 2>,
                                 bias = false} : (!image, !w) -> !image
  nn.return prediction %conv3 : !image
}

// -----

#zero = 0.0 : f64
!vector = tensor<64x256xf32, "batch">
!weight = tensor<256x256xf32>

// Values that cross a barrier lie in the scratch block, for the whole batch, and share bytes by their lives in phases.
// CHECK-LABEL: nn.program @predict
nn.program @predict attributes {batch = 64 : i64, slices = 16 : i64, optimizer = {}} {
  %x = nn.input : !vector
  %weight = nn.variable "weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight
  // CHECK: nn.region "identity.forward"{{.*}} buffer = {base = "scratch", bytes = 65664 : i64, first = 0 : i64, last
  // CHECK-SAME: = 1 : i64, offset = 0 : i64}
  %v = nn.identity %x : (!vector) -> !vector
  // CHECK: nn.region "linear.forward"{{.*}} buffer = {base = "scratch", bytes = 65664 : i64, first = 1 : i64, last =
  // CHECK-SAME: 2 : i64, offset = 65664 : i64}
  %h1 = nn.linear %v, %weight {units = 256 : i64, bias = false} : (!vector, !weight) -> !vector
  // CHECK: nn.region "linear.forward"{{.*}} buffer = {base = "scratch", bytes = 65664 : i64, first = 2 : i64, last =
  // CHECK-SAME: 3 : i64, offset = 0 : i64}
  %h2 = nn.linear %h1, %weight {units = 256 : i64, bias = false} : (!vector, !weight) -> !vector
  // CHECK: nn.region "linear.forward"{{.*}} buffer = {base = "output"
  %h3 = nn.linear %h2, %weight {units = 256 : i64, bias = false} : (!vector, !weight) -> !vector
  %y = nn.relu %h3 : (!vector) -> !vector
  nn.return prediction %y : !vector
}

// -----

#zero = 0.0 : f64
!image = tensor<32x8x8x16xf32, "batch">
!w = tensor<16x16x3x3xf32>
!channels = tensor<16xf32>

// Partial sums of a program lie in one arena, slice by slice: `copy_stride` counts elements from one slice's part to
// the next and is the same for all. Slots come last in the state block.
// CHECK: module attributes {{.*}} nn.state_bytes = 18816 : i64}
// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 32 : i64, slices = 16 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.1 : f64, momentum = 0.5 : f64, weight_decay = 0.0 : f64}} {
  %x = nn.input : !image
  // CHECK: nn.variable "conv.weight" {buffer = {base = "state", bytes = 9216 : i64, offset = 128 : i64}
  // CHECK: nn.variable "optimizer.momentum_buffer.conv.weight" {buffer = {base = "state", bytes = 9216 : i64, offset
  // CHECK-SAME: = 9472 : i64}
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: nn.variable "conv.bias" {buffer = {base = "state", bytes = 64 : i64, offset = 9344 : i64}
  // CHECK: nn.variable "optimizer.momentum_buffer.conv.bias" {buffer = {base = "state", bytes = 64 : i64, offset =
  // CHECK-SAME: 18688 : i64}
  %bias = nn.variable "conv.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !channels
  %image = nn.identity %x : (!image) -> !image
  %conv = nn.conv2d %image, %w, %bias {filters = 16 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>}
          : (!image, !w, !channels) -> !image
  %active = nn.relu %conv : (!image) -> !image
  // CHECK: nn.region "conv2d.grad_weight"{{.*}} buffer = {base = "scratch", bytes = 9216 : i64, copy_stride = 2336 :
  // CHECK-SAME: i64, first = 0 : i64,
  // CHECK-SAME: last = 2 : i64, offset = 0 : i64}
  // CHECK: nn.region "conv2d.grad_bias"{{.*}} buffer = {base = "scratch", bytes = 128 : i64, copy_stride = 2336 :
  // CHECK-SAME: i64, first = 0 : i64,
  // CHECK-SAME: last = 2 : i64, offset = 9216 : i64}
  // The last phase has number 2. Gradients that are kept outlive it.
  // KEEP: nn.region "conv2d.grad_weight"{{.*}} first = 0 : i64, last = 3 : i64
  // KEEP: nn.region "conv2d.grad_bias"{{.*}} first = 0 : i64, last = 3 : i64
  nn.return loss %active : !image
}

// -----

#zero = 0.0 : f64
!vector = tensor<4x16xf32, "batch">
!weight = tensor<16x16xf32>
!bias = tensor<16xf32>

// A variable has the same place in every program, whichever of them uses it first.
// CHECK-LABEL: nn.program @train
// CHECK: nn.variable "second" {buffer = {base = "state", bytes = 1024 : i64, offset = 128 : i64}
// CHECK: nn.variable "statistic" {buffer = {base = "state", bytes = 64 : i64, offset = 1280 : i64}
nn.program @train attributes {batch = 4 : i64, slices = 4 : i64, optimizer = {kind = "sgd"}} {
  %x = nn.input : !vector
  %second = nn.variable "second" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight
  %statistic = nn.variable "statistic" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !bias
  %y = nn.linear %x, %second, %statistic {units = 16 : i64} : (!vector, !weight, !bias) -> !vector
  nn.return logits %y : !vector
}

// CHECK-LABEL: nn.program @predict
// CHECK: nn.variable "statistic" {buffer = {base = "state", bytes = 64 : i64, offset = 1280 : i64}
// CHECK: nn.variable "first" {buffer = {base = "state", bytes = 64 : i64, offset = 1152 : i64}
// CHECK: nn.variable "second" {buffer = {base = "state", bytes = 1024 : i64, offset = 128 : i64}
nn.program @predict attributes {batch = 4 : i64, slices = 4 : i64, optimizer = {kind = "sgd"}} {
  %x = nn.input : !vector
  %statistic = nn.variable "statistic" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !bias
  %first = nn.variable "first" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !bias
  %second = nn.variable "second" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight
  %y = nn.linear %x, %second, %first {units = 16 : i64} : (!vector, !weight, !bias) -> !vector
  %z = nn.linear %y, %second, %statistic {units = 16 : i64} : (!vector, !weight, !bias) -> !vector
  nn.return prediction %z : !vector
}

// -----

#zero = 0.0 : f64
!image = tensor<32x8x8x16xf32, "batch">
!each = tensor<16x1x1x1xf32>
!w = tensor<16x16x1x1xf32>

// An elementwise region writes over what it is the last to read.
// CHECK: nn.local_bytes = 73856 : i64
// CHECK-LABEL: nn.program @predict
nn.program @predict attributes {batch = 32 : i64, slices = 16 : i64, optimizer = {}} {
  %x = nn.input : !image
  %a = nn.variable "a.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !each
  %b = nn.variable "b.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: nn.region "conv2d_grouped.forward"{{.*}} buffer = {base = "local", bytes = 8320 : i64, {{.*}} offset = 0 : i64}
  %each = nn.conv2d %x, %a {filters = 16 : i64, kernel = array<i64: 1, 1>, groups = 16 : i64, bias = false} :
      (!image, !each) -> !image
  // CHECK: nn.region "sigmoid.forward"{{.*}} buffer = {base = "local", bytes = 8320 : i64, {{.*}} offset = 0 : i64}
  %active = nn.sigmoid %each : (!image) -> !image
  %out = nn.conv2d %active, %b {filters = 16 : i64, kernel = array<i64: 1, 1>, bias = false} : (!image, !w) -> !image
  nn.return prediction %out : !image
}
