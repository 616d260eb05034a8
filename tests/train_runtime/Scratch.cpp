// Helpers of the tests in this folder. Layer: tests.
#include "Scratch.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

namespace syltest {

void Scratch::SetUp() {
  // In memory where that can be: these tests write thousands of small files.
  std::filesystem::path place = "/dev/shm";
  if (access(place.c_str(), W_OK) != 0)
    place = std::filesystem::temp_directory_path();
  std::string pattern = (place / "sylvite-test-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  folder = pattern;
}

void Scratch::TearDown() { std::filesystem::remove_all(folder); }

std::string Scratch::write(const std::string &name, const std::string &bytes) const {
  std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
  std::ofstream(path(name), std::ios::binary) << bytes;
  return path(name);
}

std::string readAll(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string bigEndian(uint32_t value) { return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)}; }

std::string idxBytes(const std::vector<uint32_t> &shape, const std::string &data, uint8_t type) {
  std::string bytes = {0, 0, char(type), char(shape.size())};
  for (uint32_t extent : shape)
    bytes += bigEndian(extent);
  return bytes + data;
}

std::string gzipped(const std::string &bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string result(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data()));
  stream.avail_in = uInt(bytes.size());
  stream.next_out = reinterpret_cast<Bytef *>(result.data());
  stream.avail_out = uInt(result.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

std::string npyBytes(const std::string &descr, const std::string &shape, const std::string &data, bool fortran) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
  header.append(64 - (header.size() + 11) % 64, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += char(header.size() & 255);
  bytes += char(header.size() >> 8);
  return bytes + header + data;
}

std::string errorOf(const std::function<void()> &body) {
  try {
    body();
  } catch (const syl::Error &error) {
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

pid_t start(const std::string &folder, const std::vector<std::string> &arguments, const Environment &environment) {
  pid_t process = fork();
  if (process != 0)
    return process;
  for (auto &[name, value] : environment)
    setenv(name.c_str(), value.c_str(), 1);
  auto redirect = [&](const char *name, int to) {
    dup2(open((folder + "/" + name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666), to);
  };
  redirect("stdout", STDOUT_FILENO);
  redirect("stderr", STDERR_FILENO);
  std::vector<char *> words;
  for (const std::string &argument : arguments)
    words.push_back(const_cast<char *>(argument.c_str()));
  words.push_back(nullptr);
  execv(words[0], words.data());
  _exit(127);
}

Outcome finish(const std::string &folder, pid_t process) {
  int status = 0;
  waitpid(process, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), readAll(folder + "/stdout"),
          readAll(folder + "/stderr")};
}

Outcome run(const std::string &folder, const std::vector<std::string> &arguments, const Environment &environment) {
  return finish(folder, start(folder, arguments, environment));
}

} // namespace syltest
