// All passes in their order, from a network to planned programs: what codegen gets.
// RUN: sylvite-opt "%s" --nn-pipeline | FileCheck "%s"
// The same input gives the same output, byte for byte.
// RUN: sylvite-opt "%s" --nn-pipeline > "%t.1" && sylvite-opt "%s" --nn-pipeline > "%t.2" && diff "%t.1" "%t.2"

#zero = 0.0 : f64
#one = 1.0 : f64
!bytes = tensor<32x8x8x1xui8, "batch">
!image = tensor<32x8x8x1xf32, "batch">
!maps = tensor<32x8x8x16xf32, "batch">
!pooled = tensor<32x4x4x16xf32, "batch">
!flat = tensor<32x256xf32, "batch">
!logits = tensor<32x10xf32, "batch">
!classes = tensor<32xi32, "batch">
!w = tensor<16x1x3x3xf32>
!channels = tensor<16xf32>
!weight = tensor<10x256xf32>
!bias = tensor<10xf32>

nn.network @net attributes {batch = 32 : i64, slices = 16 : i64, epochs = 1 : i64, seed = 1 : i64,
  output_kind = "softmax",
  optimizer = {kind = "adam", learning_rate = 0.001 : f64, beta1 = 0.9 : f64, beta2 = 0.999 : f64, eps = 1.0e-8 : f64,
               weight_decay = 0.0 : f64}} {
  %bytes = nn.input : !bytes
  %target = nn.target : !classes
  %image = nn.identity %bytes : (!bytes) -> !image
  %w = nn.variable "conv.weight" {kind = "parameter", init = "uniform", init_a = -1.0 : f64, init_b = #one} : !w
  %conv = nn.conv2d %image, %w {filters = 16 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
                                      bias = false} : (!image, !w) -> !maps
  %gamma = nn.variable "bn.weight" {kind = "parameter", init = "constant", init_a = #one, init_b = #zero} : !channels
  %beta = nn.variable "bn.bias" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !channels
  %mean = nn.variable "bn.running_mean" {kind = "buffer", init = "constant", init_a = #zero, init_b = #zero} : !channels
  %var = nn.variable "bn.running_var" {kind = "buffer", init = "constant", init_a = #one, init_b = #zero} : !channels
  %norm = nn.batch_norm %conv, running(%mean, %var) affine(%gamma, %beta)
          : (!maps, !channels, !channels, !channels, !channels) -> !maps
  %relu = nn.relu %norm : (!maps) -> !maps
  %pool = nn.max_pool2d %relu {window = array<i64: 2, 2>, stride = array<i64: 2, 2>} : (!maps) -> !pooled
  %flat = nn.flatten %pool : (!pooled) -> !flat
  %weight = nn.variable "fc.weight" {kind = "parameter", init = "uniform", init_a = -1.0 : f64, init_b = #one} : !weight
  %bias = nn.variable "fc.bias" {kind = "parameter", init = "uniform", init_a = -1.0 : f64, init_b = #one} : !bias
  %logits = nn.linear %flat, %weight, %bias {units = 10 : i64} : (!flat, !weight, !bias) -> !logits
  %loss = nn.cross_entropy %logits, %target : (!logits, !classes) -> tensor<32xf32, "batch">
  %correct = nn.accuracy %logits, %target : (!logits, !classes) -> !classes
  %prediction = nn.softmax %logits : (!logits) -> !logits
  nn.return logits %logits : !logits loss %loss : tensor<32xf32, "batch"> correct %correct : !classes
    prediction %prediction : !logits
}

// CHECK: module attributes {nn.local_bytes = {{[0-9]+}} : i64, nn.scratch_bytes = {{[0-9]+}} : i64, nn.state_bytes =
// CHECK-SAME: {{[0-9]+}} : i64}
// CHECK-LABEL: nn.program @train
// CHECK: nn.region "identity.forward"{{.*}}axis = "batch"{{.*}} phase = 0 :
// CHECK: nn.region "conv2d.forward"{{.*}}axis = "batch"{{.*}} phase = 0 :
// CHECK: nn.region "channel_sums.forward"{{.*}}axis = "batch"{{.*}} phase = 0 :
// CHECK: nn.region "batch_norm_scalars.forward"{{.*}}axis = "none"{{.*}} phase = 1 :
// CHECK: nn.region "batch_norm_running.forward"{{.*}}axis = "none"{{.*}} phase = 1 :
// CHECK: nn.region "transpose_weight.forward"{{.*}}axis = "output"{{.*}} phase = 1 :
// CHECK: nn.region "optimizer_scalars.forward"{{.*}} phase = 1 :
// CHECK: nn.region "max_pool2d.forward"{{.*}}axis = "batch"{{.*}} phase = 2 :
// CHECK: nn.region "linear.forward"{{.*}}axis = "batch"{{.*}} phase = 2 :
// CHECK: nn.region "cross_entropy.forward"{{.*}} phase = 2 :
// CHECK: nn.region "cross_entropy.grad_input"{{.*}} phase = 2 :
// CHECK: nn.region "linear.grad_input"{{.*}}axis = "batch"{{.*}} phase = 2 :
// CHECK: nn.region "max_pool2d.grad_weight"{{.*}}axis = "batch"{{.*}} phase = 2 :
// CHECK: nn.region "linear.grad_bias"{{.*}}axis = "batch"{{.*}} phase = 2 :
// CHECK: nn.region "batch_norm_scalars.grad_input"{{.*}}axis = "none"{{.*}} phase = 3 :
// CHECK: nn.region "linear.grad_weight"{{.*}}axis = "output"{{.*}} phase = 3 :
// CHECK: nn.region "adam.update"{{.*}}axis = "flat"{{.*}} phase = 3 :
// CHECK: nn.region "max_pool2d.grad_input"{{.*}}axis = "batch"{{.*}} phase = 4 :
// CHECK: nn.region "conv2d.grad_weight"{{.*}}axis = "batch"{{.*}} phase = 4 :
// CHECK-COUNT-4: nn.region "adam.update"{{.*}}axis = "flat"{{.*}} phase = 5 :
// CHECK-NOT: phase = 6
// CHECK: nn.return

// CHECK-LABEL: nn.program @evaluate
// CHECK-NOT: nn.vjp
// CHECK-LABEL: nn.program @predict
// CHECK-NOT: nn.vjp
// CHECK: nn.region "softmax.forward"{{.*}} buffer = {base = "output"
