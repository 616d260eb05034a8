// Every message of the layers' verifiers, and what the records themselves refuse.
// RUN: sylvite-opt "%s" --split-input-file --verify-diagnostics

// ==== normalize

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.normalize' op divide must be a finite number other than 0}}
%y = nn.normalize %x {divide = 0.0 : f64} : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x4x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.normalize' op mean has 2 numbers, the input has 3 channels}}
%y = nn.normalize %x {mean = array<f64: 1.0, 2.0>} : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x4x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.normalize' op mean must be finite}}
%y = nn.normalize %x {mean = array<f64: 0x7FF0000000000000>}
     : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x4x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.normalize' op std must be positive}}
%y = nn.normalize %x {std = array<f64: 0.0>} : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x4x4x3xf32, "batch">

// -----

// ==== activations

%x = nn.input : tensor<2x4x4x3xf32, "batch">
%w = nn.placeholder : tensor<2xf32>
// expected-error @+1 {{'nn.prelu' op num_parameters is 2, the input has 3 channels}}
%y = nn.prelu %x, %w {num_parameters = 2 : i64}
     : (tensor<2x4x4x3xf32, "batch">, tensor<2xf32>) -> tensor<2x4x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.softplus' op beta must be positive}}
%y = nn.softplus %x {beta = 0.0 : f64} : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x4x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.elu' op alpha must be finite}}
%y = nn.elu %x {alpha = 0x7FF0000000000000 : f64} : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x4x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.gelu' op attribute 'approximate' failed to satisfy constraint}}
%y = nn.gelu %x {approximate = "exact"} : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x4x4x3xf32, "batch">

// -----

// ==== conv2d

%x = nn.input : tensor<2x17xf32, "batch">
%w = nn.placeholder : tensor<8x17x3x3xf32>
// expected-error @+1 {{'nn.conv2d' op needs an image [H, W, C], found 17}}
%y = nn.conv2d %x, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, bias = false}
     : (tensor<2x17xf32, "batch">, tensor<8x17x3x3xf32>) -> tensor<2x8xf32, "batch">

// -----

%x = nn.input : tensor<2x5x5x3xf32, "batch">
%w = nn.placeholder : tensor<8x3x7x7xf32>
// expected-error @+1 {{'nn.conv2d' op kernel 7x7 exceeds padded input 5x5}}
%y = nn.conv2d %x, %w {filters = 8 : i64, kernel = array<i64: 7, 7>, bias = false}
     : (tensor<2x5x5x3xf32, "batch">, tensor<8x3x7x7xf32>) -> tensor<2x1x1x8xf32, "batch">

// -----

%x = nn.input : tensor<2x5x5x3xf32, "batch">
%w = nn.placeholder : tensor<8x3x3x3xf32>
// expected-error @+1 {{'nn.conv2d' op padding -1 is out of range}}
%y = nn.conv2d %x, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, padding = array<i64: -1, 1, 1, 1>, bias = false}
     : (tensor<2x5x5x3xf32, "batch">, tensor<8x3x3x3xf32>) -> tensor<2x3x3x8xf32, "batch">

// -----

%x = nn.input : tensor<2x5x5x512xf32, "batch">
%w = nn.placeholder : tensor<65536x512x3x3xf32>
// expected-error @+1 {{'nn.conv2d' op the weights have more than 268435455 elements}}
%y = nn.conv2d %x, %w {filters = 65536 : i64, kernel = array<i64: 3, 3>, bias = false}
     : (tensor<2x5x5x512xf32, "batch">, tensor<65536x512x3x3xf32>) -> tensor<2x3x3x65536xf32, "batch">

// -----

%x = nn.input : tensor<64x224x224x1xf32, "batch">
%w = nn.placeholder : tensor<128x1x1x1xf32>
// expected-error @+1 {{'nn.conv2d' op the output has more than 268435455 elements for a batch of 64}}
%y = nn.conv2d %x, %w {filters = 128 : i64, kernel = array<i64: 1, 1>, bias = false}
     : (tensor<64x224x224x1xf32, "batch">, tensor<128x1x1x1xf32>) -> tensor<64x224x224x128xf32, "batch">

// -----

%x = nn.input : tensor<2x5x5x3xf32, "batch">
%w = nn.placeholder : tensor<8x3x3x3xf32>
// expected-error @+1 {{'nn.conv2d' op output is 'tensor<2x5x5x8xf32, "batch">', expected 'tensor<2x3x3x8xf32, "batch">'}}
%y = nn.conv2d %x, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, bias = false}
     : (tensor<2x5x5x3xf32, "batch">, tensor<8x3x3x3xf32>) -> tensor<2x5x5x8xf32, "batch">

// -----

%x = nn.input : tensor<2x5x5x3xf32, "batch">
%w = nn.placeholder : tensor<8x3x3x3xf32>
// expected-error @+1 {{'nn.conv2d' op has 1 variables, expected 2}}
%y = nn.conv2d %x, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, bias = true}
     : (tensor<2x5x5x3xf32, "batch">, tensor<8x3x3x3xf32>) -> tensor<2x3x3x8xf32, "batch">

// -----

%x = nn.input : tensor<2x5x5x3xf32, "batch">
%w = nn.placeholder : tensor<8x3x3x5xf32>
// expected-error @+1 {{'nn.conv2d' op variable 'weight' is 'tensor<8x3x3x5xf32>', expected the shape [8, 3, 3, 3]}}
%y = nn.conv2d %x, %w {filters = 8 : i64, kernel = array<i64: 3, 3>, bias = false}
     : (tensor<2x5x5x3xf32, "batch">, tensor<8x3x3x5xf32>) -> tensor<2x3x3x8xf32, "batch">

// -----

// ==== linear

%x = nn.input : tensor<2x5x5x3xf32, "batch">
%w = nn.placeholder : tensor<10x75xf32>
// expected-error @+1 {{'nn.linear' op needs a vector, found an image 5x5x3}}
%y = nn.linear %x, %w {units = 10 : i64, bias = false}
     : (tensor<2x5x5x3xf32, "batch">, tensor<10x75xf32>) -> tensor<2x10xf32, "batch">

// -----

%x = nn.input : tensor<2x65536xf32, "batch">
%w = nn.placeholder : tensor<65536x65536xf32>
// expected-error @+1 {{'nn.linear' op the weights have more than 268435455 elements}}
%y = nn.linear %x, %w {units = 65536 : i64, bias = false}
     : (tensor<2x65536xf32, "batch">, tensor<65536x65536xf32>) -> tensor<2x65536xf32, "batch">

// -----

// ==== batch_norm

%x = nn.input : tensor<2x4x4x3xf32, "batch">
%c = nn.placeholder : tensor<3xf32>
// expected-error @+1 {{'nn.batch_norm' op momentum must be between 0 and 1}}
%y = nn.batch_norm %x, running(%c, %c) {momentum = 1.5 : f64, affine = false}
     : (tensor<2x4x4x3xf32, "batch">, tensor<3xf32>, tensor<3xf32>) -> tensor<2x4x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
%c = nn.placeholder : tensor<3xf32>
// expected-error @+1 {{'nn.batch_norm' op eps must be 0 or more}}
%y = nn.batch_norm %x, running(%c, %c) {eps = -1.0 : f64, affine = false}
     : (tensor<2x4x4x3xf32, "batch">, tensor<3xf32>, tensor<3xf32>) -> tensor<2x4x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
%c = nn.placeholder : tensor<3xf32>
// expected-error @+1 {{'nn.batch_norm' op has 2 variables, expected 4}}
%y = nn.batch_norm %x, running(%c, %c) {affine = true}
     : (tensor<2x4x4x3xf32, "batch">, tensor<3xf32>, tensor<3xf32>) -> tensor<2x4x4x3xf32, "batch">

// -----

// ==== relu, flatten

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.relu' op output is 'tensor<2x4x4x3xf32>', expected 'tensor<2x4x4x3xf32, "batch">'}}
%y = nn.relu %x : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x4x4x3xf32>

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.flatten' op output is 'tensor<2x3x16xf32, "batch">', expected 'tensor<2x48xf32, "batch">'}}
%y = nn.flatten %x : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x3x16xf32, "batch">

// -----

// ==== max_pool2d

%x = nn.input : tensor<2x17xf32, "batch">
// expected-error @+1 {{'nn.max_pool2d' op needs an image [H, W, C], found 17}}
%y = nn.max_pool2d %x {window = array<i64: 2, 2>} : (tensor<2x17xf32, "batch">) -> tensor<2x8xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.max_pool2d' op padding 2 is more than half of the window 3}}
%y = nn.max_pool2d %x {window = array<i64: 3, 3>, padding = array<i64: 1, 1, 2, 1>}
     : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x2x2x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.max_pool2d' op window 2x5 exceeds padded input 4x4}}
%y = nn.max_pool2d %x {window = array<i64: 2, 5>} : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x2x1x3xf32, "batch">

// -----

// ==== cross_entropy

%x = nn.input : tensor<2x1xf32, "batch">
%t = nn.target : tensor<2xi32, "batch">
// expected-error @+1 {{'nn.cross_entropy' op needs at least 2 classes, the network ends with 1 output}}
%y = nn.cross_entropy %x, %t : (tensor<2x1xf32, "batch">, tensor<2xi32, "batch">) -> tensor<2xf32, "batch">

// -----

// ==== softmax, normalizations, sequences

%x = nn.input : tensor<2x4x3xf32, "batch">
// expected-error @+1 {{'nn.softmax' op axis 2 is out of range: the input is 4x3}}
%y = nn.softmax %x {axis = 2 : i64} : (tensor<2x4x3xf32, "batch">) -> tensor<2x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x3xf32, "batch">
// expected-error @+1 {{'nn.layer_norm' op eps must be 0 or more}}
%y = nn.layer_norm %x {affine = false, eps = -1.0 : f64} : (tensor<2x4x3xf32, "batch">) -> tensor<2x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x4x3xf32, "batch">
%w = nn.placeholder : tensor<4xf32>
// expected-error @+1 {{'nn.group_norm' op has 1 variables, expected 2}}
%y = nn.group_norm %x weight %w {groups = 3 : i64} : (tensor<2x4x3xf32, "batch">, tensor<4xf32>) -> tensor<2x4x3xf32, "batch">

// -----

%x = nn.input : tensor<2x1x3xf32, "batch">
// expected-error @+1 {{'nn.instance_norm' op needs more than one pixel to normalize over, found 1x3}}
%y = nn.instance_norm %x : (tensor<2x1x3xf32, "batch">) -> tensor<2x1x3xf32, "batch">

// -----

%x = nn.input : tensor<2x5x7xf32, "batch">
// expected-error @+1 {{'nn.attention' op the input's 7 channels are not three times as many as the output's}}
%y = nn.attention %x : (tensor<2x5x7xf32, "batch">) -> tensor<2x5x7xf32, "batch">

// -----

// ==== what the records refuse: counts, pairs, dynamic shapes, operands, parents

%x = nn.input : tensor<2x17xf32, "batch">
%w = nn.placeholder : tensor<10x17xf32>
// expected-error @+1 {{'nn.linear' op attribute 'units' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
%y = nn.linear %x, %w {units = 0 : i64, bias = false}
     : (tensor<2x17xf32, "batch">, tensor<10x17xf32>) -> tensor<2x10xf32, "batch">

// -----

%x = nn.input : tensor<2x4x4x3xf32, "batch">
// expected-error @+1 {{'nn.max_pool2d' op attribute 'window' failed to satisfy constraint: i64 dense array attribute with exactly 2 elements}}
%y = nn.max_pool2d %x {window = array<i64: 2>} : (tensor<2x4x4x3xf32, "batch">) -> tensor<2x2x2x3xf32, "batch">

// -----

// expected-error @+1 {{'nn.input' op result #0 must be ranked tensor of static shape}}
%x = nn.input : tensor<?x17xf32, "batch">

// -----

%x = nn.input : tensor<2x17xf32, "batch">
// expected-error @+1 {{'nn.relu' op requires a single operand}}
%y = "nn.relu"(%x, %x) : (tensor<2x17xf32, "batch">, tensor<2x17xf32, "batch">) -> tensor<2x17xf32, "batch">

// -----

// expected-error @+1 {{'nn.yield' op expects parent op to be one of 'nn.region, nn.vjp'}}
"nn.yield"() : () -> ()
