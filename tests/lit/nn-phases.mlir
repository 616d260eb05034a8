// Regions are ordered into phases, numbered without gaps, with a barrier after each. In some, threads take slices of
// the batch; in the others, parts of weights or a single task.
// RUN: sylvite-opt "%s" --split-input-file --nn-fuse --nn-differentiate --nn-update --nn-phases | FileCheck "%s"

#zero = 0.0 : f64
#one = 1.0 : f64
!image = tensor<64x6x6x8xf32, "batch">
!w = tensor<8x8x3x3xf32>
!channels = tensor<8xf32>
!sums = tensor<16x8x3xf32, "slices">
!pairs = tensor<8x2xf32>

// Batch statistics: sums of each slice, a barrier, one task for the scalars, a barrier, and the slices go on.
// CHECK-LABEL: nn.program @evaluate
nn.program @evaluate attributes {batch = 64 : i64, slices = 16 : i64, optimizer = {}} {
  %x = nn.input : !image
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  %mean = nn.variable "bn.running_mean" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !channels
  %var = nn.variable "bn.running_var" {kind = "buffer", init = "constant", init_a = #one, init_b = #zero} : !channels
  // CHECK: nn.region "identity.forward"({{.*}}) attributes {axis = "batch", phase = 0 : i64, tasks = 16 : i64}
  %image = nn.identity %x : (!image) -> !image
  // CHECK: nn.region "conv2d.forward"({{.*}}) attributes {axis = "batch", phase = 0 : i64, tasks = 16 : i64}
  %conv = nn.conv2d %image, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                      bias = false} : (!image, !w) -> !image
  // CHECK: nn.region "channel_sums.forward"({{.*}}) attributes {axis = "batch", phase = 0 : i64, tasks = 16 : i64}
  %sums = nn.channel_sums %conv : (!image) -> !sums
  // CHECK: nn.region "batch_norm_scalars.forward"({{.*}}) attributes {axis = "none", phase = 1 : i64, tasks = 1 : i64}
  %scalars = nn.batch_norm_scalars %sums {eps = 1.0e-5 : f64, pixels = 36 : i64} : (!sums) -> !pairs
  // CHECK: nn.region "batch_norm_running.forward"({{.*}}) attributes {axis = "none", phase = 1 : i64, tasks = 1 :
  // CHECK-SAME: i64, updates = 2 : i64}
  %new_mean, %new_var = nn.batch_norm_running %mean, %var, %sums {momentum = 0.1 : f64, pixels = 36 : i64}
                        : (!channels, !channels, !sums) -> (!channels, !channels)
  // CHECK: nn.region "scale_shift.forward"({{.*}}) attributes {axis = "batch", phase = 2 : i64, tasks = 16 : i64}
  %norm = nn.scale_shift %conv, %scalars : (!image, !pairs) -> !image
  nn.return prediction %norm : !image
}

// -----

#zero = 0.0 : f64
#one = 1.0 : f64
!channels = tensor<8xf32>
!sums = tensor<16x8x3xf32, "slices">
!image = tensor<64x6x6x8xf32, "batch">
!pairs = tensor<8x2xf32>

// What is replaced in place is replaced after its last reader.
// CHECK-LABEL: nn.program @evaluate
// CHECK: nn.region "batch_norm_inference_scalars.forward"({{.*}}) attributes {axis = "none", phase = 1 : i64
// CHECK: nn.region "scale_shift.forward"({{.*}}) attributes {axis = "batch", phase = 2 : i64
// CHECK: nn.region "batch_norm_running.forward"({{.*}}) attributes {axis = "none", phase = 3 : i64
nn.program @evaluate attributes {batch = 64 : i64, slices = 16 : i64, optimizer = {}} {
  %x = nn.input : !image
  %mean = nn.variable "bn.running_mean" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !channels
  %var = nn.variable "bn.running_var" {kind = "buffer", init = "constant", init_a = #one, init_b = #zero} : !channels
  %sums = nn.channel_sums %x : (!image) -> !sums
  %new_mean, %new_var = nn.batch_norm_running %mean, %var, %sums {momentum = 0.1 : f64, pixels = 36 : i64}
                        : (!channels, !channels, !sums) -> (!channels, !channels)
  %scalars = nn.batch_norm_inference_scalars %mean, %var {eps = 1.0e-5 : f64} : (!channels, !channels) -> !pairs
  %norm = nn.scale_shift %x, %scalars : (!image, !pairs) -> !image
  nn.return prediction %norm : !image
}

// -----

#zero = 0.0 : f64
!vector = tensor<64x256xf32, "batch">
!hidden = tensor<64x128xf32, "batch">
!logits = tensor<64x10xf32, "batch">
!numbers = tensor<64xf32, "batch">
!classes = tensor<64xi32, "batch">
!weight1 = tensor<128x256xf32>
!weight2 = tensor<10x128xf32>

// A linear layer of 128 KiB of weights is cut along its outputs, 4 parts of 32 of them, in a phase of its own; one of
// 8 KiB runs slice by slice. The backward pass cuts weights too. An update, in tasks of 1024 elements, stands in the first
// phase between batches after its gradient in which others stand too, else in the last.
// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 64 : i64, slices = 16 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.1 : f64, momentum = 0.0 : f64, weight_decay = 0.0 : f64}} {
  %x = nn.input : !vector
  %target = nn.target : !classes
  %w1 = nn.variable "fc1.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight1
  %w2 = nn.variable "fc2.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight2
  %b2 = nn.variable "fc2.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : tensor<10xf32>
  %image = nn.identity %x : (!vector) -> !vector
  %hidden = nn.linear %image, %w1 {units = 128 : i64, bias = false} : (!vector, !weight1) -> !hidden
  %active = nn.relu %hidden : (!hidden) -> !hidden
  %logits = nn.linear %active, %w2, %b2 {units = 10 : i64} : (!hidden, !weight2, tensor<10xf32>) -> !logits
  %max = nn.row_max %logits : (!logits) -> !numbers
  %loss = nn.cross_entropy %logits, %target shifted by %max : (!logits, !classes, !numbers) -> !numbers
  nn.return loss %loss : !numbers
}

// CHECK: nn.region "identity.forward"({{.*}}) attributes {axis = "batch", phase = 0 : i64, tasks = 16 : i64}
// CHECK: nn.region "linear.forward"({{.*}}) attributes {axis = "output", phase = 1 : i64, tasks = 8 : i64}
// CHECK: nn.region "transpose_weight.forward"({{.*}}) attributes {axis = "output", like = "fc2.weight", phase = 1 :
// CHECK-SAME: i64, tasks = 8 : i64}
// CHECK: nn.region "optimizer_scalars.forward"() attributes {axis = "none", phase = 1 : i64, tasks = 1 : i64}
// CHECK: nn.region "relu.forward"({{.*}}) attributes {axis = "batch", phase = 2 : i64
// CHECK: nn.region "linear.forward"({{.*}}) attributes {axis = "batch", phase = 2 : i64, tasks = 16 : i64}
// CHECK: nn.region "cross_entropy.grad_input"({{.*}}) attributes {axis = "batch", phase = 2 : i64
// CHECK: nn.region "linear.grad_bias"({{.*}}) attributes {axis = "batch", like = "fc2.bias", phase = 2 : i64
// CHECK: nn.region "linear.grad_input"({{.*}}) attributes {axis = "batch", phase = 2 : i64
// CHECK: nn.region "relu.grad_input"({{.*}}) attributes {axis = "batch", phase = 2 : i64
// CHECK: nn.region "linear.grad_weight"({{.*}}) attributes {axis = "output", like = "fc1.weight", phase = 3 : i64,
// CHECK-SAME: tasks = 16 : i64}
// CHECK: nn.region "linear.grad_weight"({{.*}}) attributes {axis = "output", like = "fc2.weight", phase = 3 : i64,
// CHECK-SAME: tasks = 16 : i64}
// CHECK: nn.region "sgd.update"({{.*}}) attributes {axis = "flat", phase = 3 : i64, tasks = 1 : i64, updates = 1 : i64}
// CHECK: nn.region "sgd.update"({{.*}}) attributes {axis = "flat", phase = 4 : i64, tasks = 32 : i64, updates = 1 : i64}
// CHECK: nn.region "sgd.update"({{.*}}) attributes {axis = "flat", phase = 4 : i64, tasks = 2 : i64, updates = 1 : i64}
// CHECK-NOT: phase = 5

// -----

#zero = 0.0 : f64
!vector = tensor<64x16xf32, "batch">
!wide = tensor<64x256xf32, "batch">
!hidden = tensor<64x128xf32, "batch">
!numbers = tensor<64xf32, "batch">
!classes = tensor<64xi32, "batch">
!weight1 = tensor<256x16xf32>
!weight2 = tensor<128x256xf32>

// Where the gradient by a linear layer's input is cut, each of its tasks reads weights of its own: nothing transposes them
// beforehand.
// CHECK-LABEL: nn.program @train
// CHECK-NOT: transpose_weight
// CHECK: nn.region "linear.grad_input"({{.*}}) attributes {axis = "output", phase = 3 : i64, tasks = 16 : i64}
// CHECK-NOT: transpose_weight
nn.program @train attributes {batch = 64 : i64, slices = 16 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.1 : f64, momentum = 0.0 : f64, weight_decay = 0.0 : f64}} {
  %x = nn.input : !vector
  %target = nn.target : !classes
  %w1 = nn.variable "fc1.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight1
  %w2 = nn.variable "fc2.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight2
  %wide = nn.linear %x, %w1 {units = 256 : i64, bias = false} : (!vector, !weight1) -> !wide
  %logits = nn.linear %wide, %w2 {units = 128 : i64, bias = false} : (!wide, !weight2) -> !hidden
  %max = nn.row_max %logits : (!hidden) -> !numbers
  %loss = nn.cross_entropy %logits, %target shifted by %max : (!hidden, !classes, !numbers) -> !numbers
  nn.return loss %loss : !numbers
}

// -----

#zero = 0.0 : f64
!vector = tensor<64x32768xf32, "batch">
!hidden = tensor<64x128xf32, "batch">
!logits = tensor<64x10xf32, "batch">
!numbers = tensor<64xf32, "batch">
!classes = tensor<64xi32, "batch">
!weight1 = tensor<128x32768xf32>
!weight2 = tensor<10x128xf32>

// The gradient of huge weights has a phase of its own, after that of the others.
// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 64 : i64, slices = 16 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.1 : f64, momentum = 0.0 : f64, weight_decay = 0.0 : f64}} {
  %x = nn.input : !vector
  %target = nn.target : !classes
  %w1 = nn.variable "fc1.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight1
  %w2 = nn.variable "fc2.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight2
  %image = nn.identity %x : (!vector) -> !vector
  %hidden = nn.linear %image, %w1 {units = 128 : i64, bias = false} : (!vector, !weight1) -> !hidden
  %logits = nn.linear %hidden, %w2 {units = 10 : i64, bias = false} : (!hidden, !weight2) -> !logits
  %max = nn.row_max %logits : (!logits) -> !numbers
  %loss = nn.cross_entropy %logits, %target shifted by %max : (!logits, !classes, !numbers) -> !numbers
  nn.return loss %loss : !numbers
}

// CHECK: nn.region "linear.grad_weight"({{.*}}) attributes {axis = "output", like = "fc2.weight", phase = 3 : i64,
// CHECK: nn.region "linear.grad_weight"({{.*}}) attributes {axis = "output", like = "fc1.weight", phase = 4 : i64,
// CHECK: nn.region "sgd.update"({{.*}}) attributes {axis = "flat", phase = 5 : i64, tasks = 4096 : i64,

// -----

#zero = 0.0 : f64
!image = tensor<64x6x6x8xf32, "batch">
!w = tensor<8x8x3x3xf32>
!logits = tensor<64x10xf32, "batch">
!dense = tensor<10x288xf32>

// A linear layer reads an image as one vector, which leaves no room for a halo: a convolution that
// wants one gets a copy.
// CHECK-LABEL: nn.program @predict
nn.program @predict attributes {batch = 64 : i64, slices = 16 : i64, optimizer = {}} {
  %x = nn.input : !image
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  %dense = nn.variable "fc.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !dense
  // CHECK: %[[IMAGE:.*]] = nn.region "relu.forward"
  %image = nn.relu %x : (!image) -> !image
  // CHECK-DAG: %[[COPY:.*]] = nn.region "identity.forward"(%[[IMAGE]])
  // CHECK-DAG: nn.region "conv2d.forward"(%[[COPY]],
  %conv = nn.conv2d %image, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                      bias = false} : (!image, !w) -> !image
  // CHECK-DAG: nn.region "linear.forward"(%[[IMAGE]],
  %logits = nn.linear %image, %dense {units = 10 : i64, bias = false, flatten_input} : (!image, !dense) -> !logits
  nn.return logits %logits : !logits prediction %conv : !image
}

// -----

#zero = 0.0 : f64
!image = tensor<64x6x6x8xf32, "batch">
!w = tensor<8x8x3x3xf32>

// A convolution's weights are transposed tap by tap; its weight gradient is a part from each slice.
// CHECK-LABEL: nn.program @train
// CHECK: nn.region "conv2d.forward"({{.*}}) attributes {axis = "batch", phase = 0 : i64
// CHECK: nn.region "transpose_weight.forward"({{.*}}) attributes {axis = "output", like = "b.weight", phase = 1 :
// CHECK-SAME: i64, tasks = 9 : i64}
// CHECK: nn.region "conv2d.grad_input"({{.*}}) attributes {axis = "batch", phase = 2 : i64
nn.program @train attributes {batch = 64 : i64, slices = 16 : i64,
  optimizer = {kind = "sgd", learning_rate = 0.1 : f64, momentum = 0.0 : f64, weight_decay = 0.0 : f64}} {
  %x = nn.input : !image
  %a = nn.variable "a.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  %b = nn.variable "b.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  %image = nn.identity %x : (!image) -> !image
  %conv1 = nn.conv2d %image, %a {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                 bias = false} : (!image, !w) -> !image
  %conv2 = nn.conv2d %conv1, %b {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                 bias = false} : (!image, !w) -> !image
  nn.return loss %conv2 : !image
}

// -----

!image = tensor<64x4x4x16xf32, "batch">
!wide = tensor<64x4x4x512xf32, "batch">
!many = tensor<512x16x5x5xf32>
!few = tensor<512x16x1x1xf32>

// Convolutions whose 16 slices would read more weights than twice the images are cut along the filters.
// CHECK-LABEL: nn.program @predict
// CHECK: nn.region "conv2d.forward"({{.*}}) attributes {axis = "batch", phase = 0 : i64, tasks = 16 : i64}
// CHECK-SAME: 512x16x1x1
// CHECK: nn.region "conv2d.forward"({{.*}}) attributes {axis = "output", phase = 1 : i64, tasks = 16 : i64}
// CHECK-SAME: 512x16x5x5
nn.program @predict attributes {batch = 64 : i64, slices = 16 : i64, optimizer = {}} {
  %x = nn.input : !image
  %w = nn.variable "many.weight" {kind = "parameter", init = "constant", init_a = 0.0 : f64, init_b = 0.0 : f64} : !many
  %v = nn.variable "few.weight" {kind = "parameter", init = "constant", init_a = 0.0 : f64, init_b = 0.0 : f64} : !few
  %many = nn.conv2d %x, %w {filters = 512 : i64, kernel = array<i64: 5, 5>, padding = array<i64: 2, 2, 2, 2>,
                            bias = false} : (!image, !many) -> !wide
  %few = nn.conv2d %x, %v {filters = 512 : i64, kernel = array<i64: 1, 1>, bias = false} : (!image, !few) -> !wide
  %sum = nn.add %many, %few : (!wide, !wide) -> !wide
  nn.return prediction %sum : !wide
}
