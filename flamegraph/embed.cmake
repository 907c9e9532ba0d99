# SPDX-License-Identifier: Apache-2.0
# cmake -DINPUT=FILE -DNAME=kName -DOUTPUT=FILE.cpp -P embed.cmake: a text file as a constant of
# namespace callscope. The SPDX line stays in the source file, the copy goes without.
file(READ "${INPUT}" text)
string(REGEX REPLACE "^[^\n]*SPDX[^\n]*\n" "" text "${text}")
string(FIND "${text}" "]]>" cdata_end)
if(NOT cdata_end EQUAL -1)
  message(FATAL_ERROR "${INPUT} holds ]]>, which would end the CDATA section it is put in")
endif()
file(WRITE "${OUTPUT}" "#include <string_view>
namespace callscope {
extern const std::string_view ${NAME};
const std::string_view ${NAME} = R\"embed(${text})embed\";
}  // namespace callscope
")
