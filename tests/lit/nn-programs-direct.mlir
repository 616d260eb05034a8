// Algorithms hold for all programs, or, where space is short, for the one that trains.
// RUN: sylvite-opt "%s" --nn-programs | FileCheck "%s" --check-prefixes=CHECK,ALL
// RUN: sylvite-opt "%s" --nn-programs=direct-forward | FileCheck "%s" --check-prefixes=CHECK,TRAIN

// CHECK-LABEL: nn.program @train
// CHECK: nn.conv2d {{.*}}nn.algorithm = "winograd_4x4"
// CHECK-LABEL: nn.program @evaluate
// ALL: nn.conv2d {{.*}}nn.algorithm = "winograd_4x4"
// TRAIN-NOT: nn.algorithm
// CHECK-LABEL: nn.program @predict
// ALL: nn.conv2d {{.*}}nn.algorithm = "winograd_4x4"
// TRAIN-NOT: nn.algorithm
!image = tensor<4x6x6x3xf32, "batch">
!weight = tensor<3x3x3x3xf32>
nn.network @algorithms attributes {batch = 4 : i64, slices = 2 : i64, optimizer = {kind = "sgd"}, epochs = 1 : i64,
    seed = 1 : i64, output_kind = "linear"} {
  %image = nn.input : !image
  %target = nn.target : !image
  %weight = nn.variable "conv.weight" {kind = "parameter", init = "constant", init_a = 0.0, init_b = 0.0} : !weight
  %maps = nn.conv2d %image, %weight {filters = 3 : i64, kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>,
      bias = false, nn.algorithm = "winograd_4x4"} : (!image, !weight) -> !image
  %loss = nn.mse %maps, %target : (!image, !image) -> tensor<4xf32, "batch">
  nn.return logits %maps : !image loss %loss : tensor<4xf32, "batch"> prediction %maps : !image
}
