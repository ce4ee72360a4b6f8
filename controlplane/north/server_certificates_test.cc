#include "controlplane/north/server_certificates.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "controlplane/crypto/key_pair.h"
#include "gtest/gtest.h"
#include "test/support/key_material.h"

namespace portico::north {
namespace {

class ServerCertificatesTest : public testing::Test {
 protected:
  ServerCertificatesTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    WriteGood();
  }
  ~ServerCertificatesTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, std::string_view text) { std::ofstream(Path(name)) << text; }
  void WriteGood() {
    Write("chain", test::k_leaf_certificate);
    Write("key", test::k_leaf_key);
    Write("ca", test::k_root_certificate);
  }
  ServerCertificates Open() { return ServerCertificates({Path("chain"), Path("key"), Path("ca")}, key_pairs_); }

  // "news", "nothing", or the error's words.
  static std::string News(ServerCertificates& certificates) {
    const absl::StatusOr<std::optional<Certificates>> news = certificates.ReadNews();
    if (!news.ok()) return std::string(news.status().message());
    return news->has_value() ? "news" : "nothing";
  }

  std::string folder_ = testing::TempDir() + "/server_certificates_XXXXXX";
  const openssl::KeyPairChecker key_pairs_;
};

TEST_F(ServerCertificatesTest, ReadsWhatIsGood) {
  const absl::StatusOr<Certificates> read = Open().Read();
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->chain, test::k_leaf_certificate);
  EXPECT_EQ(read->key, test::k_leaf_key);
  EXPECT_EQ(read->client_ca, test::k_root_certificate);
}

TEST_F(ServerCertificatesTest, SaysWhichFileIsWrong) {
  struct Row {
    std::string_view name;
    std::string file;
    std::string content;
    std::string_view says;
  };
  const Row rows[] = {
      {"no certificate", "chain", "", "certificate: no PEM block"},
      {"a key as certificate", "chain", test::k_leaf_key, "--tls_cert="},
      {"another's key", "key", test::k_other_key, "the private key does not belong to the certificate"},
      {"no authority", "ca", "", "/ca: certificate: no PEM block"},
      {"an authority that is a key", "ca", test::k_leaf_key, "--client_ca="},
      {"an authority that is no certificate", "ca", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
       "certificate: number 1 is not an X.509 certificate"},
      {"over a mebibyte", "chain", std::string(check::kPemBytesMax + 1, 'x'), "is larger than 1048576 bytes"},
  };
  for (const Row& row : rows) {
    WriteGood();
    Write(row.file, row.content);
    const absl::StatusOr<Certificates> read = Open().Read();
    ASSERT_FALSE(read.ok()) << row.name;
    EXPECT_NE(base::ToStd(read.status().message()).find(row.says), std::string_view::npos)
        << row.name << ": " << read.status();
  }
  for (const std::string file : {"chain", "key", "ca"}) {
    WriteGood();
    std::filesystem::remove(Path(file));
    EXPECT_NE(base::ToStd(Open().Read().status().message()).find(Path(file)), std::string_view::npos) << file;
  }
}

TEST_F(ServerCertificatesTest, TellsNewsOnce) {
  ServerCertificates certificates = Open();
  EXPECT_EQ(News(certificates), "news");
  EXPECT_EQ(News(certificates), "nothing");
  Write("chain", base::Concat(test::k_leaf_certificate, test::k_intermediate_certificate));
  EXPECT_EQ(News(certificates), "news");
  EXPECT_EQ(News(certificates), "nothing");
}

TEST_F(ServerCertificatesTest, TellsAnErrorOnceAndMends) {
  ServerCertificates certificates = Open();
  EXPECT_EQ(News(certificates), "news");
  Write("key", test::k_other_key);
  EXPECT_NE(News(certificates).find("does not belong"), std::string::npos);
  EXPECT_EQ(News(certificates), "nothing");
  std::filesystem::remove(Path("key"));
  EXPECT_NE(News(certificates).find("--tls_key"), std::string::npos);
  EXPECT_EQ(News(certificates), "nothing");
  WriteGood();
  EXPECT_EQ(News(certificates), "news");
}

}  // namespace
}  // namespace portico::north
