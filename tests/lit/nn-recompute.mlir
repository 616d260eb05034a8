// What the backward pass computes again: elementwise chains whose derivative reads their inputs, and what `also` lists.
// RUN: sylvite-opt "%s" --split-input-file --nn-fuse --nn-recompute | FileCheck "%s" --check-prefix=MARK
// RUN: sylvite-opt "%s" --split-input-file --nn-fuse --nn-recompute --nn-differentiate | FileCheck "%s"
// RUN: sylvite-opt "%s" --split-input-file --nn-fuse --nn-recompute=also=0 --nn-differentiate | FileCheck "%s" --check-prefix=ALSO
// RUN: sylvite-opt "%s" --split-input-file --nn-fuse --nn-recompute=cheap=false --nn-differentiate | FileCheck "%s" --check-prefix=NONE

#zero = 0.0 : f64
!vector = tensor<4x16xf32, "batch">
!logits = tensor<4x10xf32, "batch">
!numbers = tensor<4xf32, "batch">
!classes = tensor<4xi32, "batch">
!weight1 = tensor<16x16xf32>
!weight2 = tensor<10x16xf32>

nn.program @train attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {}} {
  // CHECK: %[[X:.*]] = nn.input
  // ALSO: %[[X:.*]] = nn.input
  %x = nn.input : !vector
  %target = nn.target : !classes
  // CHECK: %[[W1:.*]] = nn.variable "fc1.weight"
  // ALSO: %[[W1:.*]] = nn.variable "fc1.weight"
  %w1 = nn.variable "fc1.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight1
  %w2 = nn.variable "fc2.weight" {kind = "parameter", init = "constant", init_a = #zero, init_b = #zero} : !weight2
  // MARK: nn.region "linear.forward"({{.*}}) attributes {nn.id = 0 : i64} :
  // CHECK: %[[HIDDEN:.*]] = nn.region "linear.forward"(%[[X]], %[[W1]])
  %hidden = nn.linear %x, %w1 {units = 16 : i64, bias = false} : (!vector, !weight1) -> !vector
  // MARK: nn.region "relu.forward"({{.*}}) attributes {nn.id = 1 : i64, nn.recompute} :
  // CHECK: %[[ACTIVE:.*]] = nn.region "relu.forward"(%[[HIDDEN]])
  // NONE: %[[ACTIVE:.*]] = nn.region "relu.forward"
  %active = nn.relu %hidden : (!vector) -> !vector
  // MARK: nn.region "linear.forward"({{.*}}) attributes {nn.id = 2 : i64} :
  %logits = nn.linear %active, %w2 {units = 10 : i64, bias = false} : (!vector, !weight2) -> !logits
  %max = nn.row_max %logits : (!logits) -> !numbers
  %loss = nn.cross_entropy %logits, %target shifted by %max : (!logits, !classes, !numbers) -> !numbers
  nn.return logits %logits : !logits loss %loss : !numbers
}

// The weights' gradient reads a copy; the activation's own derivative reads what it was computed from.
// CHECK: %[[D_LOGITS:.*]] = nn.region "cross_entropy.grad_input"
// CHECK: %[[D_ACTIVE:.*]] = nn.region "linear.grad_input"
// CHECK: nn.region "relu.grad_input"(%[[HIDDEN]], %[[D_ACTIVE]])
// CHECK: %[[AGAIN:.*]] = nn.region "relu.forward"(%[[HIDDEN]]) attributes {nn.again, nn.id = 1 : i64} :
// CHECK: nn.region "linear.grad_weight"(%[[AGAIN]], %[[D_LOGITS]])

// What a copy reads is computed again too, once.
// ALSO: nn.region "cross_entropy.grad_input"
// ALSO: %[[HIDDEN:.*]] = nn.region "linear.forward"(%[[X]], %[[W1]]) attributes {nn.again, nn.id = 0 : i64} :
// ALSO: nn.region "relu.grad_input"(%[[HIDDEN]],
// ALSO-NOT: nn.region "linear.forward"
// ALSO: nn.region "relu.forward"(%[[HIDDEN]]) attributes {nn.again, nn.id = 1 : i64} :

// NONE-NOT: nn.again
// NONE: nn.region "linear.grad_weight"(%[[ACTIVE]],
