// Every op of the dialect is parsed and printed as it was written; attributes at their defaults are left out.
// RUN: sylvite-opt "%s" > "%t" && sylvite-opt "%t" | diff "%t" - && FileCheck "%s" < "%t"

#zero = 0.0 : f64
#one = 1.0 : f64
!bytes = tensor<4x6x6x3xui8, "batch">
!image = tensor<4x6x6x3xf32, "batch">
!maps = tensor<4x6x6x8xf32, "batch">
!pooled = tensor<4x3x3x8xf32, "batch">
!flat = tensor<4x72xf32, "batch">
!logits = tensor<4x10xf32, "batch">
!numbers = tensor<4xf32, "batch">
!classes = tensor<4xi32, "batch">
!sums = tensor<2x8x3xf32, "slices">
!channels = tensor<8xf32>
!pairs = tensor<8x2xf32>
!w = tensor<8x3x3x3xf32>
!dense = tensor<10x72xf32>
!units = tensor<10xf32>

// CHECK-LABEL: nn.network @layers attributes {batch = 4 : i64, epochs = 5 : i64, optimizer = {kind = "sgd"},
// CHECK-SAME: output_kind = "softmax", seed = 1 : i64, slices = 2 : i64}
nn.network @layers attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {kind = "sgd"}, epochs = 5 : i64,
                               seed = 1 : i64, output_kind = "softmax"} {
  // CHECK: %[[BYTES:.*]] = nn.input : tensor<4x6x6x3xui8, "batch">
  %bytes = nn.input : !bytes
  // CHECK: %[[TARGET:.*]] = nn.target : tensor<4xi32, "batch">
  %target = nn.target : !classes
  // CHECK: nn.identity %[[BYTES]] : (tensor<4x6x6x3xui8, "batch">) -> tensor<4x6x6x3xf32, "batch">
  %image = nn.identity %bytes : (!bytes) -> !image
  // CHECK: nn.normalize %{{.*}} {divide = 2.550000e+02 : f64, mean = array<f64: 1.000000e-01, 2.000000e-01,
  // CHECK-SAME: 3.000000e-01>
  // CHECK-SAME: std = array<f64: 4.000000e-01, 5.000000e-01, 6.000000e-01>}
  %normal = nn.normalize %image {divide = 255.0 : f64, mean = array<f64: 0.1, 0.2, 0.3>,
                                 std = array<f64: 0.4, 0.5, 0.6>}
            : (!image) -> !image
  // CHECK: nn.variable "conv.weight" {init = "uniform", init_a = -1.000000e+00 : f64, init_b = 1.000000e+00 : f64,
  // CHECK-SAME: kind = "parameter"} : tensor<8x3x3x3xf32>
  %w = nn.variable "conv.weight" {kind = "parameter", init = "uniform", init_a = -1.0 : f64, init_b = #one} : !w
  %bias = nn.variable "conv.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !channels
  // CHECK: nn.conv2d %{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}} {filters = 8 : i64, kernel = array<i64: 3, 3>, padding =
  // CHECK-SAME: array<i64: 1, 1, 1, 1>} :
  %conv = nn.conv2d %normal, %w, %bias {filters = 8 : i64, kernel = array<i64: 3, 3>, stride = array<i64: 1, 1>,
                                              padding = array<i64: 1, 1, 1, 1>, bias = true}
          : (!image, !w, !channels) -> !maps
  // CHECK: nn.conv2d %{{[0-9]+}}, %{{[0-9]+}} {bias = false,
  %plain = nn.conv2d %normal, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                        bias = false} : (!image, !w) -> !maps
  %mean = nn.variable "bn.running_mean" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !channels
  %var = nn.variable "bn.running_var" {kind = "buffer", init = "constant", init_a = #one, init_b = #zero} : !channels
  // CHECK: nn.batch_norm %[[CONV:[0-9]+]], running(%[[MEAN:[0-9]+]], %[[VAR:[0-9]+]]) affine(%[[WEIGHT:[0-9]+]], %[[BIAS:[0-9]+]])
  // CHECK-SAME: {momentum = 2.000000e-01 : f64} :
  %norm = nn.batch_norm %conv, running(%mean, %var) affine(%bias, %bias) {momentum = 0.2 : f64, eps = 1.0e-5 : f64}
          : (!maps, !channels, !channels, !channels, !channels) -> !maps
  // CHECK: nn.batch_norm %[[CONV]], running(%[[MEAN]], %[[VAR]]) {affine = false} :
  %norm2 = nn.batch_norm %conv, running(%mean, %var) {affine = false} : (!maps, !channels, !channels) -> !maps
  // CHECK: nn.relu %{{.*}} : (tensor<4x6x6x8xf32, "batch">) -> tensor<4x6x6x8xf32, "batch">
  %relu = nn.relu %norm : (!maps) -> !maps
  // CHECK: nn.max_pool2d %{{.*}} {stride = array<i64: 2, 2>, window = array<i64: 2, 2>} :
  %pool = nn.max_pool2d %relu {window = array<i64: 2, 2>, stride = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>}
          : (!maps) -> !pooled
  // CHECK: nn.flatten %{{.*}} : (tensor<4x3x3x8xf32, "batch">) -> tensor<4x72xf32, "batch">
  %flat = nn.flatten %pool : (!pooled) -> !flat
  %dense = nn.variable "fc.weight" {kind = "parameter", init = "normal", init_a = #zero, init_b = #one} : !dense
  %units = nn.variable "fc.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !units
  // CHECK: nn.linear %{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}} {units = 10 : i64} :
  %logits = nn.linear %flat, %dense, %units {units = 10 : i64, bias = true} : (!flat, !dense, !units) -> !logits
  // CHECK: nn.linear %{{[0-9]+}}, %{{[0-9]+}}, %{{[0-9]+}} {flatten_input, units = 10 : i64} :
  %same = nn.linear %pool, %dense, %units {units = 10 : i64, flatten_input} : (!pooled, !dense, !units) -> !logits
  // CHECK: nn.cross_entropy %{{[0-9]+}}, %[[TARGET]] : (tensor<4x10xf32, "batch">, tensor<4xi32, "batch">) ->
  // CHECK-SAME: tensor<4xf32, "batch">
  %loss = nn.cross_entropy %logits, %target : (!logits, !classes) -> !numbers
  // CHECK: nn.accuracy %{{[0-9]+}}, %[[TARGET]] :
  %correct = nn.accuracy %logits, %target : (!logits, !classes) -> !classes
  // CHECK: nn.softmax %{{[0-9]+}} : (tensor<4x10xf32, "batch">) -> tensor<4x10xf32, "batch">
  %prediction = nn.softmax %logits : (!logits) -> !logits
  // CHECK: nn.return logits %{{.*}} : tensor<4x10xf32, "batch"> loss %{{.*}} : tensor<4xf32, "batch"> correct
  // CHECK-SAME: %{{.*}} : tensor<4xi32, "batch"> prediction %{{.*}} : tensor<4x10xf32, "batch">
  nn.return logits %logits : !logits loss %loss : !numbers correct %correct : !classes prediction %prediction : !logits
}

// CHECK-LABEL: nn.program @train attributes {batch = 4 : i64, optimizer = {kind = "sgd"}, slices = 2 : i64}
nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {kind = "sgd"}} {
  %maps = nn.input : !maps
  %target = nn.target : !classes
  %mean = nn.variable "bn.running_mean" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !channels
  %var = nn.variable "bn.running_var" {kind = "buffer", init = "constant", init_a = #one, init_b = #zero} : !channels
  %w = nn.variable "conv.weight" {kind = "parameter", init = "uniform", init_a = -1.0 : f64, init_b = #one} : !w
  // CHECK: nn.channel_sums %{{.*}} : (tensor<4x6x6x8xf32, "batch">) -> tensor<2x8x3xf32, "slices">
  %sums = nn.channel_sums %maps : (!maps) -> !sums
  // CHECK: nn.batch_norm_scalars %{{[0-9]+}} affine(%{{.*}}, %{{.*}}) {eps = 1.000000e-05 : f64, pixels = 36 : i64} :
  %scalars = nn.batch_norm_scalars %sums affine(%mean, %var) {eps = 1.0e-5 : f64, pixels = 36 : i64}
             : (!sums, !channels, !channels) -> !pairs
  // CHECK: nn.batch_norm_inference_scalars %{{[0-9]+}}, %{{[0-9]+}} {eps = 1.000000e-05 : f64} :
  %scalars2 = nn.batch_norm_inference_scalars %mean, %var {eps = 1.0e-5 : f64} : (!channels, !channels) -> !pairs
  // CHECK: nn.batch_norm_running %{{.*}} {momentum = 1.000000e-01 : f64, pixels = 36 : i64} :
  %new_mean, %new_var = nn.batch_norm_running %mean, %var, %sums {momentum = 0.1 : f64, pixels = 36 : i64}
                        : (!channels, !channels, !sums) -> (!channels, !channels)
  // CHECK: nn.scale_shift %{{.*}}, %{{.*}} : (tensor<4x6x6x8xf32, "batch">, tensor<8x2xf32>) -> tensor<4x6x6x8xf32,
  // CHECK-SAME: "batch">
  %norm = nn.scale_shift %maps, %scalars : (!maps, !pairs) -> !maps
  // CHECK: nn.gradient_sum %{{.*}}, %{{.*}}, %{{.*}} :
  %sum = nn.gradient_sum %norm, %maps, %maps : (!maps, !maps, !maps) -> !maps
  // CHECK: nn.transpose_weight %{{.*}} : (tensor<8x3x3x3xf32>) -> tensor<8x3x3x3xf32>
  %transposed = nn.transpose_weight %w : (!w) -> !w
  // CHECK: nn.optimizer_scalars {kind = "sgd", learning_rate = 1.000000e-03 : f64} : tensor<7xf32>
  %rates = nn.optimizer_scalars {kind = "sgd", learning_rate = 0.001 : f64} : tensor<7xf32>
  // CHECK: %[[SQUARES:.*]] = nn.square_sum %{{.*}}, %{{.*}} {kind = "sgd"} : (tensor<8xf32>, tensor<7xf32>)
  %squares = nn.square_sum %mean, %rates {kind = "sgd"} : (!channels, tensor<7xf32>) -> tensor<1xf32>
  // CHECK: %[[CLIP:.*]] = nn.clip_scale %[[SQUARES]], %[[SQUARES]] {clip_norm = 2.000000e+00 : f64} :
  %clip = nn.clip_scale %squares, %squares {clip_norm = 2.0 : f64} : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>
  // CHECK: nn.optimizer_update %{{.*}}, %{{.*}} by %{{.*}}, %{{.*}} {kind = "sgd"} {decay_scale = 1.000000e+00 : f64,
  // CHECK-SAME: rate_scale = 5.000000e-01 : f64} :
  %a, %b = nn.optimizer_update %mean, %var by %mean, %rates {kind = "sgd"} {rate_scale = 0.5 : f64, decay_scale = 1.0 : f64}
           : (!channels, !channels, !channels, tensor<7xf32>) -> (!channels, !channels)
  // CHECK: nn.optimizer_update %{{.*}} by %{{.*}}, %{{.*}} clipped by %[[CLIP]] {kind = "sgd"} {
  %c = nn.optimizer_update %mean by %mean, %rates clipped by %clip {kind = "sgd"}
       {rate_scale = 1.0 : f64, decay_scale = 0.0 : f64}
       : (!channels, !channels, tensor<7xf32>, tensor<1xf32>) -> !channels
  // CHECK: %[[REGION:.*]] = nn.region "relu.grad_input"(%{{.*}}, %{{.*}}) attributes {like = "x"} :
  // CHECK-SAME: (tensor<4x6x6x8xf32, "batch">, tensor<4x6x6x8xf32, "batch">) -> tensor<4x6x6x8xf32, "batch"> {
  // CHECK-NEXT: ^bb0(%[[X:.*]]: tensor<4x6x6x8xf32, "batch">, %[[SEED:.*]]: tensor<4x6x6x8xf32, "batch">):
  %gradient = nn.region "relu.grad_input"(%maps, %norm) attributes {like = "x"} : (!maps, !maps) -> !maps {
  ^bb0(%x: !maps, %seed: !maps):
    // CHECK-NEXT: %[[VJP:.*]] = nn.vjp wrt 0(%[[X]], %[[SEED]]) :
    // CHECK-SAME: (tensor<4x6x6x8xf32, "batch">, tensor<4x6x6x8xf32, "batch">) -> tensor<4x6x6x8xf32, "batch"> {
    %vjp = nn.vjp wrt 0(%x, %seed) : (!maps, !maps) -> !maps {
    ^bb0(%inner: !maps):
      %relu = nn.relu %inner : (!maps) -> !maps
      nn.yield %relu : !maps
    }
    // CHECK: nn.placeholder : tensor<10xf32>
    %nothing = nn.placeholder : !units
    // CHECK: nn.yield %[[VJP]] : tensor<4x6x6x8xf32, "batch">
    nn.yield %vjp : !maps
  }
  // CHECK: nn.gradient "x", %[[REGION]] : tensor<4x6x6x8xf32, "batch">
  nn.gradient "x", %gradient : !maps
  // CHECK: %[[LOGITS:.*]] = nn.region "linear.forward"() : () -> tensor<4x10xf32, "batch"> {
  %logits = nn.region "linear.forward"() : () -> !logits {
    %zero = nn.placeholder : !logits
    nn.yield %zero : !logits
  }
  // CHECK: %[[MAX:.*]] = nn.row_max %[[LOGITS]] : (tensor<4x10xf32, "batch">) -> tensor<4xf32, "batch">
  %max = nn.row_max %logits : (!logits) -> !numbers
  // CHECK: nn.cross_entropy %[[LOGITS]], %{{.*}} shifted by %[[MAX]] :
  %loss = nn.cross_entropy %logits, %target shifted by %max : (!logits, !classes, !numbers) -> !numbers
  // CHECK: nn.softmax %[[LOGITS]], %[[MAX]] :
  %prediction = nn.softmax %logits, %max : (!logits, !numbers) -> !logits
  // CHECK: nn.mean_seed : tensor<4xf32, "batch">
  %mean_seed = nn.mean_seed : !numbers
  // CHECK: nn.return loss %{{.*}} : tensor<4xf32, "batch">
  nn.return loss %loss : !numbers
}
