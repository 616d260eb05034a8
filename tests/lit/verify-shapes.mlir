// The messages of the plans of layers on shapes, sequences and preprocessed images; verify.mlir has the others.
// RUN: sylvite-opt "%s" --split-input-file --verify-diagnostics

// ==== arithmetic

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.add' op needs two or more inputs, found 1}}
%y = nn.add %a : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
%b = nn.input : tensor<2x7x6xf32, "batch">
// expected-error @+1 {{'nn.multiply' op its inputs do not go together: 4x6x3 and 7x6}}
%y = nn.multiply %a, %b : (tensor<2x4x6x3xf32, "batch">, tensor<2x7x6xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

// ==== concat

%a = nn.input : tensor<2x4x6x3xf32, "batch">
%b = nn.input : tensor<2x5x5x3xf32, "batch">
// expected-error @+1 {{'nn.concat' op its inputs do not go together: 4x6x3 and 5x5x3}}
%y = nn.concat %a, %b {axis = 0 : i64}
     : (tensor<2x4x6x3xf32, "batch">, tensor<2x5x5x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

// ==== permute

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.permute' op axes must name each of the 3 axes of the input once, from 0}}
%y = nn.permute %a {axes = array<i64: 0, 0, 1>} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

// ==== reshape

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.reshape' op extent -2 does not fit 72 elements}}
%y = nn.reshape %a {shape = array<i64: -2, 6, 3>} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.reshape' op shape must have 1 to 4 numbers, found 5}}
%y = nn.reshape %a {shape = array<i64: 1, 1, 4, 6, 3>} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.reshape' op shape does not hold the input's 72 elements (4x6x3)}}
%y = nn.reshape %a {shape = array<i64: 70>} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

// ==== pixel_shuffle

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.pixel_shuffle' op factor 2: its square does not divide the input's 3 channels}}
%y = nn.pixel_shuffle %a {factor = 2 : i64} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

// ==== upsample

%a = nn.input : tensor<2x5xf32, "batch">
// expected-error @+1 {{'nn.upsample' op needs a sequence, an image or a video, found a vector 5}}
%y = nn.upsample %a {scale = array<i64: 2>} : (tensor<2x5xf32, "batch">) -> tensor<2x5xf32, "batch">

// -----

// ==== global pools

%a = nn.input : tensor<2x5xf32, "batch">
// expected-error @+1 {{'nn.global_max_pool' op needs a sequence, an image or a video, found a vector 5}}
%y = nn.global_max_pool %a : (tensor<2x5xf32, "batch">) -> tensor<2x5xf32, "batch">

// -----

// ==== pad

%a = nn.input : tensor<2x5xf32, "batch">
// expected-error @+1 {{'nn.pad' op needs a sequence, an image or a video, found a vector 5}}
%y = nn.pad %a {padding = array<i64: 1>} : (tensor<2x5xf32, "batch">) -> tensor<2x5xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.pad' op value must be finite}}
%y = nn.pad %a {padding = array<i64: 1>, value = 0x7FF0000000000000 : f64}
     : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

// ==== crop

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.crop' op margin 2 and 2 leave nothing of 4 pixels}}
%y = nn.crop %a {margin = array<i64: 2>} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

// ==== sequences

%a = nn.input : tensor<2x4x6x3xf32, "batch">
%v = nn.placeholder : tensor<3x2xf32>
// expected-error @+1 {{'nn.embedding' op needs a vector of whole numbers [T], found 4x6x3}}
%y = nn.embedding %a, %v {count = 3 : i64, size = 2 : i64}
     : (tensor<2x4x6x3xf32, "batch">, tensor<3x2xf32>) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x5xf32, "batch">
%v = nn.placeholder : tensor<3x2xf32>
// expected-error @+1 {{'nn.embedding' op padding_idx 3 is out of range: 0 to 2}}
%y = nn.embedding %a, %v {count = 3 : i64, size = 2 : i64, padding_idx = 3 : i64}
     : (tensor<2x5xf32, "batch">, tensor<3x2xf32>) -> tensor<2x5x2xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
%v = nn.placeholder : tensor<4x6xf32>
// expected-error @+1 {{'nn.learned_position' op needs a sequence [T, C], found 4x6x3}}
%y = nn.learned_position %a, %v : (tensor<2x4x6x3xf32, "batch">, tensor<4x6xf32>) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x7x6xf32, "batch">
%b = nn.input : tensor<2x7x6xf32, "batch">
// expected-error @+1 {{'nn.attention' op needs one input or three, found 2}}
%y = nn.attention %a, %b : (tensor<2x7x6xf32, "batch">, tensor<2x7x6xf32, "batch">) -> tensor<2x7x6xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.attention' op needs sequences [T, C], found 4x6x3}}
%y = nn.attention %a : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x7x6xf32, "batch">
%b = nn.input : tensor<2x7x6xf32, "batch">
%c = nn.input : tensor<2x5x6xf32, "batch">
// expected-error @+1 {{'nn.attention' op its inputs do not go together: query 7x6, key 7x6, value 5x6}}
%y = nn.attention %a, %b, %c
     : (tensor<2x7x6xf32, "batch">, tensor<2x7x6xf32, "batch">, tensor<2x5x6xf32, "batch">) -> tensor<2x7x6xf32, "batch">

// -----

// ==== preprocess

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.resize' op there are both size and short_side}}
%y = nn.resize %a {size = array<i64: 2, 2>, short_side = 2 : i64}
     : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.resize' op needs a size}}
%y = nn.resize %a : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.pad_to' op aspect must be positive}}
%y = nn.pad_to %a {aspect = 0.0 : f64} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.pad_to' op there are both size and aspect}}
%y = nn.pad_to %a {size = array<i64: 8, 8>, aspect = 1.0 : f64}
     : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.pad_to' op needs a size}}
%y = nn.pad_to %a : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.pad_to' op size 3x3 is smaller than the image, 4x6}}
%y = nn.pad_to %a {size = array<i64: 3, 3>} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.random_crop' op a part of 9 pixels exceeds the padded image's 6}}
%y = nn.random_crop %a {size = array<i64: 9, 9>, padding = array<i64: 1>}
     : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.color_jitter' op brightness must not be negative}}
%y = nn.color_jitter %a {brightness = -1.0 : f64} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
// expected-error @+1 {{'nn.color_jitter' op maximum must be positive}}
%y = nn.color_jitter %a {maximum = 0.0 : f64} : (tensor<2x4x6x3xf32, "batch">) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x2xf32, "batch">
// expected-error @+1 {{'nn.color_jitter' op needs an image of 1 or 3 channels, found 2}}
%y = nn.color_jitter %a : (tensor<2x4x6x2xf32, "batch">) -> tensor<2x4x6x2xf32, "batch">

// -----

// ==== dropout

%a = nn.input : tensor<2x5xf32, "batch">
// expected-error @+1 {{'nn.spatial_dropout' op needs a sequence, an image or a video, found a vector 5}}
%y = nn.spatial_dropout %a {p = 0.5 : f64} : (tensor<2x5xf32, "batch">) -> tensor<2x5xf32, "batch">

// -----

// ==== transposed convolutions

%a = nn.input : tensor<2x4x6x3xf32, "batch">
%v = nn.placeholder : tensor<3x2x2x2xf32>
%w = nn.placeholder : tensor<2xf32>
// expected-error @+1 {{'nn.conv_transpose2d' op output_padding has 3 numbers, the layer has 2 axes}}
%y = nn.conv_transpose2d %a, %v, %w {filters = 2 : i64, kernel = array<i64: 2, 2>, output_padding = array<i64: 1, 1, 1>}
     : (tensor<2x4x6x3xf32, "batch">, tensor<3x2x2x2xf32>, tensor<2xf32>) -> tensor<2x4x6x3xf32, "batch">

// -----

%a = nn.input : tensor<2x4x6x3xf32, "batch">
%v = nn.placeholder : tensor<3x2x2x2xf32>
%w = nn.placeholder : tensor<2xf32>
// expected-error @+1 {{'nn.conv_transpose2d' op output_padding 1 must be less than stride or dilation, 1}}
%y = nn.conv_transpose2d %a, %v, %w {filters = 2 : i64, kernel = array<i64: 2, 2>, output_padding = array<i64: 1>}
     : (tensor<2x4x6x3xf32, "batch">, tensor<3x2x2x2xf32>, tensor<2xf32>) -> tensor<2x4x6x3xf32, "batch">

// -----

// ==== hinge

%a = nn.input : tensor<2x4x6x3xf32, "batch">
%b = nn.target : tensor<2x4x6xi32, "batch">
// expected-error @+1 {{'nn.hinge' op needs one vector a sample, the network ends with 4x6x3}}
%y = nn.hinge %a, %b : (tensor<2x4x6x3xf32, "batch">, tensor<2x4x6xi32, "batch">) -> tensor<2xf32, "batch">
