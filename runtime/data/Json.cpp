// JSON as a tree that is destroyed without memory. Layer: runtime/data.
#include "runtime/data/Json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace syl {

/// Receives nlohmann's events.
class Json::Builder : public nlohmann::json_sax<nlohmann::json> {
public:
  Json root;
  std::string problem;

  bool null() override { return place(Json()); }
  bool boolean(bool value) override { return place(Json(value)); }
  bool number_integer(int64_t value) override { return place(Json(value)); }
  bool number_unsigned(uint64_t value) override { return place(Json(value)); }
  bool number_float(double value, const std::string &) override { return place(Json(value)); }
  bool string(std::string &value) override { return place(Json(std::move(value))); }
  bool binary(nlohmann::json::binary_t &) override { return false; }
  bool start_object(size_t) override { return enter(Kind::Map); }
  bool start_array(size_t) override { return enter(Kind::List); }
  bool key(std::string &name) override {
    open.back().keys.push_back(std::move(name));
    return true;
  }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool parse_error(size_t position, const std::string &, const nlohmann::detail::exception &) override {
    problem = format("no JSON at byte %zu", position);
    return false;
  }

private:
  bool place(Json value) {
    if (open.empty())
      root = std::move(value);
    else
      open.back().items.push_back(std::move(value));
    return true;
  }
  bool enter(Kind kind) {
    if (open.size() == depthLimit) {
      problem = format("lists and maps that are nested deeper than %zu", depthLimit);
      return false;
    }
    open.emplace_back(kind);
    return true;
  }
  bool leave() {
    Json value = std::move(open.back());
    open.pop_back();
    return place(std::move(value));
  }

  std::vector<Json> open; // lists and maps that are not complete, the outermost first
};

Json Json::parse(const std::string &text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text, &builder))
    throw Error::complete(SYL_ERROR_FORMAT, "found " + builder.problem);
  return std::move(builder.root);
}

const Json *Json::find(const std::string &key) const {
  for (size_t i = 0; i < keys.size(); ++i)
    if (keys[i] == key)
      return &items[i];
  return nullptr;
}

const Json &Json::at(const std::string &key) const {
  if (const Json *value = find(key))
    return *value;
  throw Error::complete(SYL_ERROR_FORMAT, "found no key '" + key + "'");
}

void Json::add(std::string key, Json value) {
  keys.push_back(std::move(key));
  items.push_back(std::move(value));
}

const std::vector<Json> &Json::list() const {
  if (kind_ != Kind::List)
    fail("a list");
  return items;
}

void Json::get(bool &value) const {
  if (kind_ != Kind::Boolean)
    fail("true or false");
  value = whole;
}

void Json::get(double &value) const {
  if (kind_ != Kind::Real && kind_ != Kind::Whole)
    fail("a number");
  value = kind_ == Kind::Real ? real : negative ? double(int64_t(whole)) : double(whole);
}

void Json::get(std::string &value) const {
  if (kind_ != Kind::Text)
    fail("a text");
  value = text;
}

void Json::fail(const char *expected) const {
  std::string found = dump();
  if (found.size() > 60)
    found = found.substr(0, 57) + "...";
  throw Error::complete(SYL_ERROR_FORMAT, "found " + found + ", expected " + expected);
}

void Json::write(std::string &out, bool indented, size_t depth) const {
  const std::string line = indented ? "\n" + std::string(2 * depth, ' ') : "";
  switch (kind_) {
  case Kind::Null:
    out += "null";
    return;
  case Kind::Boolean:
    out += whole ? "true" : "false";
    return;
  case Kind::Whole:
    out += negative ? std::to_string(int64_t(whole)) : std::to_string(whole);
    return;
  case Kind::Real:
    out += std::isfinite(real) ? nlohmann::json(real).dump() : "null";
    return;
  case Kind::Text:
    out += jsonText(text);
    return;
  case Kind::List:
  case Kind::Map:
    break;
  }
  out += kind_ == Kind::Map ? "{" : "[";
  for (size_t i = 0; i < items.size(); ++i) {
    out += i ? (indented ? "," : ", ") : "";
    out += line + (indented ? "  " : "");
    if (kind_ == Kind::Map)
      out += jsonText(keys[i]) + ": ";
    items[i].write(out, indented, depth + 1);
  }
  out += (items.empty() ? "" : line) + (kind_ == Kind::Map ? "}" : "]");
}

std::string Json::dump(bool indented) const {
  std::string out;
  write(out, indented, 0);
  return out;
}

std::string jsonText(const std::string &text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string jsonText(double value) { return std::isfinite(value) ? format("%.9g", value) : "null"; }

} // namespace syl
