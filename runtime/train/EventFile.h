// A TensorBoard event file: scalars by step. Layer: runtime/train.
//
// Each record is the length of an Event message (8 bytes), the masked CRC-32C of these 8, the message, and the masked
// CRC-32C of the message; the message is protobuf. Source: tensorflow/core/lib/io/record_writer.h and
// tensorflow/core/util/event.proto.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace syl {

/// CRC-32C (Castagnoli, reflected), as iSCSI has it.
uint32_t crc32c(const void *data, size_t count);

/// A record as it stands in the file.
std::string eventRecord(const std::string &message);
/// The Event with which a file begins.
std::string eventVersion(double wallTime);
/// An Event that tells that a run goes on from `step`: what an earlier file has of later steps no longer counts.
std::string eventStart(double wallTime, uint64_t step);
/// An Event with the values of `step`.
std::string eventScalars(double wallTime, uint64_t step, const std::vector<std::pair<std::string, float>> &values);

} // namespace syl
