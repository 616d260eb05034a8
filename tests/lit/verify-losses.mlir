// Every message of the losses' verifiers.
// RUN: sylvite-opt "%s" --split-input-file --verify-diagnostics

%x = nn.input : tensor<2x5xf32, "batch">
%t = nn.target : tensor<2xi32, "batch">
// expected-error @+1 {{'nn.cross_entropy' op label_smoothing must be from 0 to 1}}
%l = nn.cross_entropy %x, %t {label_smoothing = 1.5 : f64}
     : (tensor<2x5xf32, "batch">, tensor<2xi32, "batch">) -> tensor<2xf32, "batch">

// -----

%x = nn.input : tensor<2x5xf32, "batch">
%t = nn.target : tensor<2xi32, "batch">
// expected-error @+1 {{'nn.cross_entropy' op class_weights has 2 numbers, the network ends with 5 classes}}
%l = nn.cross_entropy %x, %t {class_weights = array<f64: 1.0, 2.0>}
     : (tensor<2x5xf32, "batch">, tensor<2xi32, "batch">) -> tensor<2xf32, "batch">

// -----

%x = nn.input : tensor<2x5xf32, "batch">
%t = nn.target : tensor<2xi32, "batch">
// expected-error @+1 {{'nn.nll' op class_weights must be 0 or more}}
%l = nn.nll %x, %t {class_weights = array<f64: -1.0>}
     : (tensor<2x5xf32, "batch">, tensor<2xi32, "batch">) -> tensor<2xf32, "batch">

// -----

%x = nn.input : tensor<2x5xf32, "batch">
%t = nn.target : tensor<2xi32, "batch">
// expected-error @+1 {{'nn.hinge' op p must be 1 or 2}}
%l = nn.hinge %x, %t {p = 3 : i64}
     : (tensor<2x5xf32, "batch">, tensor<2xi32, "batch">) -> tensor<2xf32, "batch">

// -----

%x = nn.input : tensor<2x5xf32, "batch">
%t = nn.target : tensor<2x5xf32, "batch">
// expected-error @+1 {{'nn.binary_cross_entropy' op pos_weight has 2 numbers, the network ends with 5 outputs}}
%l = nn.binary_cross_entropy %x, %t {pos_weight = array<f64: 1.0, 2.0>}
     : (tensor<2x5xf32, "batch">, tensor<2x5xf32, "batch">) -> tensor<2xf32, "batch">

// -----

%x = nn.input : tensor<2x5xf32, "batch">
%t = nn.target : tensor<2x5xf32, "batch">
// expected-error @+1 {{'nn.huber' op delta must be more than 0}}
%l = nn.huber %x, %t {delta = 0.0 : f64}
     : (tensor<2x5xf32, "batch">, tensor<2x5xf32, "batch">) -> tensor<2xf32, "batch">

// -----

%x = nn.input : tensor<2x5xf32, "batch">
%t = nn.target : tensor<2x5xf32, "batch">
// expected-error @+1 {{'nn.smooth_l1' op beta must be 0 or more}}
%l = nn.smooth_l1 %x, %t {beta = -1.0 : f64}
     : (tensor<2x5xf32, "batch">, tensor<2x5xf32, "batch">) -> tensor<2xf32, "batch">

// -----

%x = nn.input : tensor<2x5xf32, "batch">
%t = nn.target : tensor<2x5xf32, "batch">
// expected-error @+1 {{'nn.kl_divergence' op attribute 'reduction' failed to satisfy constraint}}
%l = nn.kl_divergence %x, %t {reduction = "sum"}
     : (tensor<2x5xf32, "batch">, tensor<2x5xf32, "batch">) -> tensor<2xf32, "batch">
