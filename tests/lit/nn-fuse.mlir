// Contractions and sums over the batch begin a region; chains of elementwise ops, with at most one pooling at their end,
// become one region that is called after its heaviest op. Where nothing is differentiated, such a chain is done where the
// contraction before it writes its result.
// RUN: sylvite-opt "%s" --nn-fuse | FileCheck "%s"

#zero = 0.0 : f64
#one = 1.0 : f64
!bytes = tensor<4x6x6x3xui8, "batch">
!image = tensor<4x6x6x3xf32, "batch">
!maps = tensor<4x6x6x8xf32, "batch">
!pooled = tensor<4x3x3x8xf32, "batch">
!logits = tensor<4x10xf32, "batch">
!sums = tensor<2x8x3xf32, "slices">
!w = tensor<8x3x3x3xf32>
!channels = tensor<8xf32>
!pairs = tensor<8x2xf32>

// CHECK-LABEL: nn.program @block
nn.program @block attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  // CHECK: %[[BYTES:.*]] = nn.input
  %bytes = nn.input : !bytes
  // CHECK: %[[FILTERS:.*]] = nn.variable "conv.weight"
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !w
  // CHECK: %[[MEAN:.*]] = nn.variable "bn.running_mean"
  %mean = nn.variable "bn.running_mean" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !channels
  // CHECK: %[[VAR:.*]] = nn.variable "bn.running_var"
  %var = nn.variable "bn.running_var" {kind = "buffer", init = "constant", init_a = #one, init_b = #zero} : !channels

  // A chain of elementwise ops. The conversion gives no name to the kernel.
  // CHECK: %[[IMAGE:.*]] = nn.region "normalize.forward"(%[[BYTES]]) :
  // CHECK-NEXT: ^bb0(%[[IN:.*]]: tensor<4x6x6x3xui8, "batch">):
  // CHECK-NEXT: %[[A:.*]] = nn.identity %[[IN]]
  // CHECK-NEXT: %[[B:.*]] = nn.normalize %[[A]]
  // CHECK-NEXT: nn.yield %[[B]]
  %floats = nn.identity %bytes : (!bytes) -> !image
  %image = nn.normalize %floats {mean = array<f64: 0.0, 0.0, 0.0>, std = array<f64: 1.0, 1.0, 1.0>} : (!image) -> !image

  // CHECK: %[[CONV:.*]] = nn.region "conv2d.forward"(%[[IMAGE]], %[[FILTERS]]) :
  // CHECK-NEXT: ^bb0
  // CHECK-NEXT: nn.conv2d
  // CHECK-NEXT: nn.yield
  %conv = nn.conv2d %image, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                      bias = false} : (!image, !w) -> !maps

  // CHECK: %[[SUMS:.*]] = nn.region "channel_sums.forward"(%[[CONV]]) :
  %sums = nn.channel_sums %conv : (!maps) -> !sums
  // CHECK: %[[SCALARS:.*]] = nn.region "batch_norm_scalars.forward"(%[[SUMS]]) :
  %scalars = nn.batch_norm_scalars %sums {eps = 1.0e-5 : f64, pixels = 36 : i64} : (!sums) -> !pairs

  // In-place work has no result: it replaces its first operands.
  // CHECK: nn.region "batch_norm_running.forward"(%[[MEAN]], %[[VAR]], %[[SUMS]]) attributes {updates = 2 : i64}
  // CHECK-SAME: -> ()
  %new_mean, %new_var = nn.batch_norm_running %mean, %var, %sums {momentum = 0.1 : f64, pixels = 36 : i64}
                        : (!channels, !channels, !sums) -> (!channels, !channels)

  // CHECK: %[[POOL:.*]] = nn.region "max_pool2d.forward"(%[[CONV]], %[[SCALARS]]) :
  // CHECK-NEXT: ^bb0(%[[X:.*]]: tensor<4x6x6x8xf32, "batch">, %[[S:.*]]: tensor<8x2xf32>):
  // CHECK-NEXT: %[[A:.*]] = nn.scale_shift %[[X]], %[[S]]
  // CHECK-NEXT: %[[B:.*]] = nn.relu %[[A]]
  // CHECK-NEXT: %[[C:.*]] = nn.max_pool2d %[[B]]
  // CHECK-NEXT: nn.yield %[[C]]
  %norm = nn.scale_shift %conv, %scalars : (!maps, !pairs) -> !maps
  %relu = nn.relu %norm : (!maps) -> !maps
  %pool = nn.max_pool2d %relu {window = array<i64: 2, 2>, stride = array<i64: 2, 2>} : (!maps) -> !pooled

  // Nothing joins after the pooling.
  // CHECK: %[[LAST:.*]] = nn.region "relu.forward"(%[[POOL]]) :
  %last = nn.relu %pool : (!pooled) -> !pooled
  // CHECK: nn.return logits %[[LAST]]
  nn.return logits %last : !pooled
}

// A value with two readers is stored: neither of them takes its producer in.
// CHECK-LABEL: nn.program @fan_out
nn.program @fan_out attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %x = nn.input : !maps
  // CHECK: %[[A:.*]] = nn.region "relu.forward"
  %a = nn.relu %x : (!maps) -> !maps
  // CHECK: nn.region "relu.forward"(%[[A]])
  %b = nn.relu %a : (!maps) -> !maps
  // CHECK: nn.region "max_pool2d.forward"(%[[A]])
  %c = nn.max_pool2d %a {window = array<i64: 2, 2>, stride = array<i64: 2, 2>} : (!maps) -> !pooled
  nn.return logits %b : !maps prediction %c : !pooled
}

// The caller's input has no halo and no padded channels, so that pooling reads a copy of it.
// CHECK-LABEL: nn.program @pool_of_the_input
nn.program @pool_of_the_input attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  // CHECK: %[[X:.*]] = nn.input
  %x = nn.input : !maps
  // CHECK: %[[COPY:.*]] = nn.region "identity.forward"(%[[X]])
  %copy = nn.identity %x : (!maps) -> !maps
  // CHECK: nn.region "max_pool2d.forward"(%[[COPY]])
  %pool = nn.max_pool2d %copy {window = array<i64: 2, 2>, stride = array<i64: 2, 2>} : (!maps) -> !pooled
  nn.return logits %pool : !pooled
}

// CHECK-LABEL: nn.program @predict
nn.program @predict attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %x = nn.input : !maps
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : tensor<8x8x3x3xf32>
  %values = nn.variable "values" {kind = "buffer", init = "constant", init_a = #one, init_b = #zero} : !pairs
  // CHECK: %[[SKIP:.*]] = nn.region "relu.forward"
  %skip = nn.relu %x : (!maps) -> !maps
  // CHECK: nn.region "conv2d.forward"(%{{.*}}, %{{.*}}, %{{.*}}, %[[SKIP]]) :
  // CHECK: nn.conv2d
  // CHECK-NEXT: nn.scale_shift
  // CHECK-NEXT: nn.add
  // CHECK-NEXT: nn.relu
  // CHECK-NEXT: nn.yield
  %conv = nn.conv2d %x, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                            bias = false} : (!maps, tensor<8x8x3x3xf32>) -> !maps
  %norm = nn.scale_shift %conv, %values : (!maps, !pairs) -> !maps
  %sum = nn.add %norm, %skip : (!maps, !maps) -> !maps
  %relu = nn.relu %sum : (!maps) -> !maps
  // What the convolution itself reads is read whole: it does not join.
  // CHECK: nn.region "conv2d.forward"
  // CHECK: nn.conv2d
  // CHECK-NEXT: nn.yield
  // CHECK: nn.region "add.forward"
  %other = nn.conv2d %relu, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                bias = false} : (!maps, tensor<8x8x3x3xf32>) -> !maps
  %last = nn.add %other, %relu : (!maps, !maps) -> !maps
  nn.return prediction %last : !maps
}

// CHECK-LABEL: nn.program @train
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  %x = nn.input : !maps
  %w = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : tensor<8x8x3x3xf32>
  // CHECK: nn.region "conv2d.forward"
  // CHECK: nn.region "relu.forward"
  %conv = nn.conv2d %x, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                            bias = false} : (!maps, tensor<8x8x3x3xf32>) -> !maps
  %relu = nn.relu %conv : (!maps) -> !maps
  nn.return logits %relu : !maps
}
